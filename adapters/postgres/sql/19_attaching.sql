-- What giving a product to a customer is decided on. Where there is no such customer, and there is data to make one
-- of (`may_be_made`), they are to have the pricing model with this id, or the default one; without, nothing else is
-- looked for. Either a product or a price is asked for, by id (archived ones too), else by slug among the current ones
-- of the customer's pricing model; maybe for an entity of theirs.
CREATE OR REPLACE FUNCTION attach_context(
    org text, live boolean, asked_customer text, may_be_made boolean, asked_email_key text, model_id text,
    asked_user text, asked_stripe_customer text, asked_fingerprint text,
    asked_product text, asked_price text, asked_entity text
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    known   customers;
    buyer   text;
    who     jsonb;
    model   text;
    price   prices;
    product products;
    sold    jsonb := '[]';
    taker   entities;
BEGIN
    PERFORM enter(org, live);
    IF may_be_made THEN
        who := creation_context(org, live, asked_customer, asked_email_key, model_id, asked_user,
            asked_stripe_customer, asked_fingerprint);
    ELSE
        known := find_customer(org, live, asked_customer);
        IF known.id IS NULL THEN
            RETURN '{}';
        END IF;
        who := jsonb_build_object('existing', customer_record(known), 'terms', '{"pricing_model": null}'::jsonb);
    END IF;
    model := coalesce(who #>> '{existing,customer,pricing_model_id}', who #>> '{terms,pricing_model,id}');
    buyer := who #>> '{existing,customer,id}';
    IF asked_price IS NOT NULL THEN
        price := find_price(org, live, asked_price, model);
        IF price.id IS NOT NULL THEN
            SELECT * INTO product FROM products t
                WHERE t.organization_id = org AND t.livemode = live AND t.id = price.product_id;
            sold := jsonb_build_array(to_jsonb(price));
        END IF;
    ELSE
        IF starts_with(asked_product, 'prod_') THEN
            SELECT * INTO product FROM products t
                WHERE t.organization_id = org AND t.livemode = live AND t.id = asked_product;
        ELSE
            SELECT * INTO product FROM products t
                WHERE t.organization_id = org AND t.livemode = live AND t.pricing_model_id = model
                    AND t.slug = asked_product AND t.archived_at IS NULL;
        END IF;
        SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.slug COLLATE "C"), '[]') INTO sold FROM prices t
            WHERE t.organization_id = org AND t.livemode = live AND t.product_id = product.id
                AND t.archived_at IS NULL;
    END IF;
    taker := find_entity(org, live, buyer, asked_entity);
    RETURN jsonb_build_object(
        'customer', who,
        'product', CASE WHEN product.id IS NOT NULL THEN to_jsonb(product) END,
        'prices', sold,
        'trial_used', trial_used(org, live, buyer, product.id),
        'sends_receipts', (SELECT t.sends_receipts FROM organizations t WHERE t.organization_id = org),
        'entity', CASE WHEN taker.id IS NOT NULL THEN to_jsonb(taker) END);
END $$;
