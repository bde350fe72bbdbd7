-- Customers with their current subscriptions, as JSON of the domain's states.

CREATE OR REPLACE FUNCTION customer_record(customer customers) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('customer', to_jsonb(customer), 'subscriptions', (
        SELECT coalesce(jsonb_agg(jsonb_build_object('subscription', to_jsonb(s), 'items', (
            SELECT coalesce(jsonb_agg(to_jsonb(i) ORDER BY i.id), '[]') FROM subscription_items i
            WHERE i.organization_id = s.organization_id AND i.livemode = s.livemode AND i.subscription_id = s.id
        )) ORDER BY s.id), '[]')
        FROM subscriptions s
        WHERE s.organization_id = customer.organization_id AND s.livemode = customer.livemode
            AND s.customer_id = customer.id AND s.status <> 'canceled'))
$$;

-- By id (cus_…) or external id, unless they were deleted; the tenant has been entered.
CREATE OR REPLACE FUNCTION find_customer(org text, live boolean, reference text) RETURNS customers
LANGUAGE plpgsql STABLE AS $$
DECLARE
    found_one customers;
BEGIN
    IF starts_with(reference, 'cus_') THEN
        SELECT * INTO found_one FROM customers t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = reference AND t.deleted_at IS NULL;
    ELSE
        SELECT * INTO found_one FROM customers t
            WHERE t.organization_id = org AND t.livemode = live AND t.external_id = reference;
    END IF;
    RETURN found_one;
END $$;

-- Without their items, in the order of ids; the tenant has been entered.
CREATE OR REPLACE FUNCTION current_subscriptions(org text, live boolean, buyer_id text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.id), '[]') FROM subscriptions t
    WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = buyer_id AND t.status <> 'canceled'
$$;

CREATE OR REPLACE FUNCTION customer(org text, live boolean, reference text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    known customers;
BEGIN
    PERFORM enter(org, live);
    known := find_customer(org, live, reference);
    RETURN CASE WHEN known.id IS NULL THEN NULL ELSE customer_record(known) END;
END $$;

-- What creating a customer is decided on.
CREATE OR REPLACE FUNCTION creation_context(
    org text, live boolean, external_id text, model_id text
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    known customers;
BEGIN
    PERFORM enter(org, live);
    known := find_customer(org, live, external_id);
    RETURN jsonb_build_object(
        'existing', CASE WHEN known.id IS NULL THEN NULL ELSE customer_record(known) END,
        'terms', customer_terms(org, live, model_id));
END $$;
