-- Checkout sessions, and what they are opened on.

CREATE OR REPLACE FUNCTION checkout_session(org text, live boolean, session_id text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (SELECT to_jsonb(t) FROM checkout_sessions t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = session_id);
END $$;

-- By id, archived ones too, else by slug among the current ones of the pricing model; the tenant has been entered.
CREATE OR REPLACE FUNCTION find_price(org text, live boolean, reference text, model text) RETURNS prices
LANGUAGE plpgsql STABLE AS $$
DECLARE
    found_one prices;
BEGIN
    IF starts_with(reference, 'price_') THEN
        SELECT * INTO found_one FROM prices t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = reference;
    ELSE
        SELECT * INTO found_one FROM prices t
            WHERE t.organization_id = org AND t.livemode = live AND t.pricing_model_id = model
                AND t.slug = reference AND t.archived_at IS NULL;
    END IF;
    RETURN found_one;
END $$;

-- The customer by id or external id, else that of the purchase or of the subscription. The price by id (archived
-- ones too), else by slug among the current ones of the customer's pricing model or, when no customer is asked for,
-- of the default one; of a purchase, its own.
CREATE OR REPLACE FUNCTION opening_context(
    org text, live boolean, asked_customer text, asked_price text, asked_purchase text, asked_subscription text
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    buyer customers;
    model text;
    asked prices;
    bought purchases;
    named subscriptions;
BEGIN
    PERFORM enter(org, live);
    SELECT * INTO bought FROM purchases t
        WHERE t.organization_id = org AND t.livemode = live AND t.id = asked_purchase;
    SELECT * INTO named FROM subscriptions t
        WHERE t.organization_id = org AND t.livemode = live AND t.id = asked_subscription;
    asked_customer := coalesce(asked_customer, bought.customer_id, named.customer_id);
    IF asked_customer IS NOT NULL THEN
        buyer := find_customer(org, live, asked_customer);
        IF buyer.id IS NULL THEN
            RETURN '{"customer": null, "price": null, "product": null}';
        END IF;
    END IF;
    asked_price := coalesce(bought.price_id, asked_price);
    IF asked_price IS NOT NULL THEN
        model := coalesce(buyer.pricing_model_id, (
            SELECT t.id FROM pricing_models t
            WHERE t.organization_id = org AND t.livemode = live AND t.is_default AND t.archived_at IS NULL));
        asked := find_price(org, live, asked_price, model);
    END IF;
    RETURN jsonb_build_object(
        'customer', CASE WHEN buyer.id IS NOT NULL THEN to_jsonb(buyer) END,
        'price', CASE WHEN asked.id IS NOT NULL THEN to_jsonb(asked) END,
        'product', (SELECT to_jsonb(t) FROM products t
                    WHERE t.organization_id = org AND t.livemode = live AND t.id = asked.product_id),
        'purchase', CASE WHEN bought.id IS NOT NULL THEN to_jsonb(bought) END,
        'subscription', CASE WHEN named.customer_id = buyer.id THEN to_jsonb(named) END,
        'current', CASE WHEN asked.type = 'subscription' THEN current_subscriptions(org, live, buyer.id)
            ELSE '[]' END,
        'trial_used', trial_used(org, live, buyer.id, asked.product_id));
END $$;
