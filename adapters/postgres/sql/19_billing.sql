-- What a pricing page, or a page about somebody's account, shows of a customer.

CREATE OR REPLACE FUNCTION customer_billing(org text, live boolean, reference text, now timestamptz) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    known customers;
BEGIN
    PERFORM enter(org, live);
    known := find_customer(org, live, reference);
    IF known.id IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN jsonb_build_object(
        'customer', to_jsonb(known),
        'held', (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'record', subscription_record(s), 'product', to_jsonb(p), 'prices', (
                    -- What they took may have been archived since.
                    SELECT coalesce(jsonb_agg(to_jsonb(price) ORDER BY i.id), '[]')
                    FROM subscription_items i JOIN prices price ON price.organization_id = org
                        AND price.livemode = live AND price.id = i.price_id
                    WHERE i.organization_id = org AND i.livemode = live AND i.subscription_id = s.id)
            ) ORDER BY s.id), '[]')
            FROM subscriptions s JOIN products p ON p.organization_id = org AND p.livemode = live
                AND p.id = s.product_id
            WHERE s.organization_id = org AND s.livemode = live AND s.customer_id = known.id
                AND s.status <> 'canceled'),
        'payment_methods', (
            SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.id DESC), '[]') FROM payment_methods t
            WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = known.id),
        'invoices', expanded_invoices(known),
        'sessions', open_sessions(org, live, known.id),
        'trials_used', expanded_trials_used(known),
        'balances', balance_lines(org, live, known.id, NULL, now),
        'plans', (
            SELECT coalesce(jsonb_agg(jsonb_build_object('product', to_jsonb(p), 'prices', (
                SELECT coalesce(jsonb_agg(to_jsonb(price) ORDER BY price.slug COLLATE "C"), '[]') FROM prices price
                WHERE price.organization_id = org AND price.livemode = live AND price.product_id = p.id
                    AND price.archived_at IS NULL
            )) ORDER BY p."group" COLLATE "C", p.slug COLLATE "C"), '[]')
            FROM products p
            WHERE p.organization_id = org AND p.livemode = live AND p.pricing_model_id = known.pricing_model_id
                AND p.archived_at IS NULL));
END $$;
