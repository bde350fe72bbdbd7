-- What changing subscriptions is decided on, as JSON of the domain's states.

-- What a customer has whenever they have no other plan of a group: its free default, which they had no longer for this
-- one's sake; with the latest balance of each feature that they had with it. Null if there is none, or they have it
-- elsewhere, or this one takes no place among their own. The tenant has been entered.
CREATE OR REPLACE FUNCTION standby(ended subscriptions) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    org  text := ended.organization_id;
    live boolean := ended.livemode;
    free products;
    had  text[];
BEGIN
    IF ended.is_add_on OR ended.entity_id IS NOT NULL THEN
        RETURN NULL;
    END IF;
    SELECT product.* INTO free FROM customers c
        JOIN products sold ON sold.organization_id = org AND sold.livemode = live AND sold.id = ended.product_id
        JOIN products product ON product.organization_id = org AND product.livemode = live
            AND product.pricing_model_id = c.pricing_model_id AND product."group" = sold."group"
        WHERE c.organization_id = org AND c.livemode = live AND c.id = ended.customer_id
            AND product.default_kind = 'free' AND NOT product.is_add_on AND product.archived_at IS NULL;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(t.id) INTO had FROM subscriptions t
        WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = ended.customer_id
            AND t.product_id = free.id AND t.entity_id IS NULL AND t.id <> ended.id
        HAVING bool_and(t.status = 'canceled') IS NOT FALSE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    RETURN jsonb_build_object(
        'plan', jsonb_build_object('product', to_jsonb(free), 'prices', (
            SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.slug COLLATE "C"), '[]') FROM prices t
            WHERE t.organization_id = org AND t.livemode = live AND t.product_id = free.id
                AND t.type = 'subscription' AND t.archived_at IS NULL)),
        'balances', (
            SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.id), '[]') FROM (
                SELECT DISTINCT ON (b.feature_id) b.* FROM balances b
                WHERE b.organization_id = org AND b.livemode = live AND b.customer_id = ended.customer_id
                    AND b.subscription_id = ANY (had)
                ORDER BY b.feature_id, b.id DESC
            ) t));
END $$;

-- Of one subscription, canceled or not, or of all that are current of a customer (by id or external id): with their
-- items, with what is owed for them and the purchases it is owed for, and with the means of payment that is asked for,
-- whosever it is; of one subscription, also with what its customer has without it. Null when there is no such
-- subscription, or customer.
CREATE OR REPLACE FUNCTION managed_context(
    org text, live boolean, asked_subscription text, asked_customer text, asked_method text
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    -- Not inside the queries: see booking_context.
    buyer text;
    held  jsonb;
    named text[];
BEGIN
    PERFORM enter(org, live);
    IF asked_subscription IS NOT NULL THEN
        SELECT jsonb_agg(subscription_record(t)), array_agg(t.id) INTO held, named FROM subscriptions t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = asked_subscription;
        IF held IS NULL THEN
            RETURN NULL;
        END IF;
    ELSE
        buyer := (find_customer(org, live, asked_customer)).id;
        IF buyer IS NULL THEN
            RETURN NULL;
        END IF;
        SELECT coalesce(jsonb_agg(subscription_record(t) ORDER BY t.id), '[]'), array_agg(t.id) INTO held, named
            FROM subscriptions t
            WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = buyer
                AND t.status <> 'canceled';
    END IF;
    RETURN jsonb_build_object(
        'subscriptions', held,
        'standby', (SELECT standby(t) FROM subscriptions t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = asked_subscription),
        'owed', (
            SELECT coalesce(jsonb_agg(jsonb_build_object('invoice', to_jsonb(t), 'purchase', (
                SELECT to_jsonb(p) FROM purchases p
                WHERE p.organization_id = org AND p.livemode = live AND p.id = t.purchase_id
            )) ORDER BY t.id), '[]') FROM invoices t
            WHERE t.organization_id = org AND t.livemode = live AND t.subscription_id = ANY (named)
                AND t.paid_at IS NULL AND t.status <> 'void'),
        'payment_method', (SELECT to_jsonb(t) FROM payment_methods t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = asked_method));
END $$;
