-- What changing subscriptions is decided on, as JSON of the domain's states.

-- Of one subscription, canceled or not, or of all that are current of a customer (by id or external id): with their
-- items, with what is owed for them and the purchases it is owed for, and with the means of payment that is asked for,
-- whosever it is. Null when there is no such subscription, or customer.
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
