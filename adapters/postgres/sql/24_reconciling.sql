-- What the books are held against Stripe for.

-- Every organization, in the order of ids: for the worker, who acts for each of them.
CREATE OR REPLACE FUNCTION resolve_organizations() RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
    SELECT coalesce(jsonb_agg(t.organization_id ORDER BY t.organization_id), '[]') FROM route_organizations t
$$;
REVOKE EXECUTE ON FUNCTION resolve_organizations() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION resolve_organizations() TO counterfoil_worker;

-- Sessions, invoices and intake payments that wait for what becomes of their intent, in the order of ids, after the one given.
CREATE OR REPLACE FUNCTION unsettled(org text, live boolean, size int, after text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    beyond text := coalesce(after, '');
BEGIN
    PERFORM enter(org, live);
    RETURN (
        WITH sessions AS (
            SELECT t.id, coalesce(t.payment_intent_id, t.setup_intent_id) AS intent_id, t.collects
            FROM checkout_sessions t
            WHERE t.organization_id = org AND t.livemode = live AND t.id > beyond
                AND t.status IN ('open', 'pending')
                AND (t.payment_intent_id IS NOT NULL OR t.setup_intent_id IS NOT NULL)
            ORDER BY t.id LIMIT size
        ), charged AS (
            SELECT t.id, t.payment_intent_id AS intent_id, 'payment' AS collects
            FROM invoices t
            WHERE t.organization_id = org AND t.livemode = live AND t.id > beyond
                AND t.payment_intent_id IS NOT NULL AND t.paid_at IS NULL AND t.status <> 'void'
            ORDER BY t.id LIMIT size
        ), asked AS (
            SELECT t.id, t.payment_intent_id AS intent_id, 'payment' AS collects
            FROM intake_payments t
            WHERE t.organization_id = org AND t.livemode = live AND t.id > beyond
                AND t.payment_intent_id IS NOT NULL AND t.status NOT IN ('succeeded', 'canceled')
            ORDER BY t.id LIMIT size
        ), waiting AS (
            SELECT * FROM sessions UNION ALL SELECT * FROM charged UNION ALL SELECT * FROM asked
            ORDER BY id LIMIT size
        )
        SELECT coalesce(jsonb_agg(to_jsonb(w) ORDER BY w.id), '[]') FROM waiting w);
END $$;

-- Whether a round is due and nobody has taken it: the row is locked by whoever updates it, and then due later.
CREATE OR REPLACE FUNCTION take_round(asked text, at timestamptz, next_at timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rounds VALUES (asked, next_at)
        ON CONFLICT (name) DO UPDATE SET due_at = next_at WHERE rounds.due_at <= at;
    RETURN FOUND;
END $$;
