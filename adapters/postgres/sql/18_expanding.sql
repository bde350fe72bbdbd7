-- What else may be asked for of a customer: a function each, of which only those that are asked for are called. The
-- tenant has been entered.

CREATE OR REPLACE FUNCTION expanded_payments(known customers) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(newest) ORDER BY newest.id DESC), '[]') FROM (
        SELECT * FROM payments t
        WHERE t.organization_id = known.organization_id AND t.livemode = known.livemode AND t.customer_id = known.id
        ORDER BY t.id DESC LIMIT 10) AS newest
$$;

CREATE OR REPLACE FUNCTION expanded_invoices(known customers) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(newest) ORDER BY newest.id DESC), '[]') FROM (
        SELECT * FROM invoices t
        WHERE t.organization_id = known.organization_id AND t.livemode = known.livemode AND t.customer_id = known.id
        ORDER BY t.id DESC LIMIT 10) AS newest
$$;

CREATE OR REPLACE FUNCTION expanded_trials_used(known customers) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'product_id', t.product_id, 'product_slug', t.product_slug, 'started_at', t.created_at,
        'trial_ends_at', t.trial_ends_at) ORDER BY t.id), '[]')
    FROM subscriptions t
    WHERE t.organization_id = known.organization_id AND t.livemode = known.livemode AND t.customer_id = known.id
        AND t.trial_ends_at IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION expanded_entities(known customers) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(newest) ORDER BY newest.id DESC), '[]') FROM (
        SELECT * FROM entities t
        WHERE t.organization_id = known.organization_id AND t.livemode = known.livemode AND t.customer_id = known.id
            AND t.deleted_at IS NULL
        ORDER BY t.id DESC LIMIT 10) AS newest
$$;

CREATE OR REPLACE FUNCTION expanded_customer(org text, live boolean, reference text, wanted text[], now timestamptz)
RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    known customers;
BEGIN
    PERFORM enter(org, live);
    known := find_customer(org, live, reference);
    IF known.id IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN jsonb_build_object('record', customer_record(known), 'expanded', (
        SELECT coalesce(jsonb_object_agg(name, CASE name
            WHEN 'payments' THEN expanded_payments(known)
            WHEN 'invoices' THEN expanded_invoices(known)
            WHEN 'trials_used' THEN expanded_trials_used(known)
            WHEN 'entities' THEN expanded_entities(known)
            WHEN 'balances' THEN balance_lines(org, live, known.id, NULL, now) END), '{}')
        FROM unnest(wanted) AS name WHERE name <> 'subscriptions'));
END $$;
