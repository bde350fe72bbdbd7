-- What is sold, as JSON of the domain's states.

CREATE OR REPLACE FUNCTION catalog(org text, live boolean) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN jsonb_build_object(
        'head', (SELECT to_jsonb(t) FROM catalogs t WHERE t.organization_id = org AND t.livemode = live),
        'pricing_models', (
            SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.slug COLLATE "C"), '[]') FROM pricing_models t
            WHERE t.organization_id = org AND t.livemode = live AND t.archived_at IS NULL),
        'products', (
            SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.slug COLLATE "C", t.id), '[]') FROM products t
            WHERE t.organization_id = org AND t.livemode = live AND t.archived_at IS NULL),
        'prices', (
            SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.slug COLLATE "C", t.id), '[]') FROM prices t
            WHERE t.organization_id = org AND t.livemode = live AND t.archived_at IS NULL),
        'features', (
            SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.slug COLLATE "C"), '[]') FROM features t
            WHERE t.organization_id = org AND t.livemode = live AND t.archived_at IS NULL));
END $$;

-- What a new customer gets: the pricing model with this id if it is not archived, or, for null, the default
-- one; and that model's default products with their recurring prices. Whether receipts are sent only matters to
-- what is paid. The tenant has been entered.
CREATE OR REPLACE FUNCTION customer_terms(org text, live boolean, model_id text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    model    pricing_models;
    defaults jsonb;
    is_paid  boolean;
BEGIN
    IF model_id IS NULL THEN
        SELECT * INTO model FROM pricing_models AS t
            WHERE t.organization_id = org AND t.livemode = live AND t.is_default AND t.archived_at IS NULL;
    ELSE
        SELECT * INTO model FROM pricing_models AS t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = model_id AND t.archived_at IS NULL;
    END IF;
    IF NOT FOUND THEN
        RETURN '{"pricing_model": null, "defaults": []}';
    END IF;
    SELECT coalesce(jsonb_agg(jsonb_build_object('product', to_jsonb(product), 'prices', (
            SELECT coalesce(jsonb_agg(to_jsonb(price) ORDER BY price.slug COLLATE "C"), '[]')
            FROM prices AS price
            WHERE price.organization_id = org AND price.livemode = live AND price.product_id = product.id
                AND price.type = 'subscription' AND price.archived_at IS NULL
        )) ORDER BY product."group" COLLATE "C", product.slug COLLATE "C"), '[]'),
        bool_or(product.default_kind = 'paid')
        INTO defaults, is_paid
        FROM products AS product
        WHERE product.organization_id = org AND product.livemode = live
            AND product.pricing_model_id = model.id AND product.default_kind IS NOT NULL
            AND product.archived_at IS NULL;
    RETURN jsonb_build_object('pricing_model', to_jsonb(model), 'defaults', defaults, 'sends_receipts',
        is_paid IS TRUE
        AND (SELECT t.sends_receipts FROM organizations AS t WHERE t.organization_id = org));
END $$;
