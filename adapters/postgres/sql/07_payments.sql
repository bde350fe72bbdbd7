-- What a payment fact is decided on; the tenant has been entered.
CREATE OR REPLACE FUNCTION payment_context(
    org text, live boolean, session_id text, intent_id text, inbound_id text
) RETURNS jsonb LANGUAGE plpgsql STABLE
-- Look-ups by key have one plan. Left to itself the planner makes a new one at each call, as where the session
-- names no customer it can save a look-up: far less than planning costs.
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    session checkout_sessions;
    model   text;
    intent  text;
BEGIN
    SELECT * INTO session FROM checkout_sessions t
        WHERE t.organization_id = org AND t.livemode = live AND t.id = session_id;
    -- Not inside the query: under row-level security the planner trusts no coalesce() before the policy, and
    -- would read all payments instead of the index.
    intent := coalesce(intent_id, session.payment_intent_id);
    -- The bought price's pricing model, unless it has been archived; then customer_terms takes the default.
    SELECT m.id INTO model FROM prices p JOIN pricing_models m
        ON m.organization_id = p.organization_id AND m.livemode = p.livemode AND m.id = p.pricing_model_id
        WHERE p.organization_id = org AND p.livemode = live AND p.id = session.price_id
            AND m.archived_at IS NULL;
    RETURN jsonb_build_object(
        'handled', EXISTS (SELECT FROM inbound_events t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = inbound_id
                AND t.handled_at IS NOT NULL),
        'session', CASE WHEN session.id IS NOT NULL THEN to_jsonb(session) END,
        'paying', (SELECT t.id FROM checkout_sessions t
            WHERE t.organization_id = org AND t.livemode = live AND t.payment_intent_id = intent),
        'payment', (SELECT to_jsonb(t) FROM payments t
            WHERE t.organization_id = org AND t.livemode = live
                AND t.payment_intent_id = intent),
        'purchase', (SELECT to_jsonb(t) FROM purchases t
            WHERE t.organization_id = org AND t.livemode = live AND t.checkout_session_id = session.id),
        'customer', (SELECT to_jsonb(t) FROM customers t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = session.customer_id),
        'terms', CASE WHEN session.id IS NULL THEN '{"pricing_model": null, "defaults": []}'
            ELSE customer_terms(org, live, model) END);
END $$;

CREATE OR REPLACE FUNCTION fact_context(
    org text, live boolean, session_id text, intent_id text, inbound_id text
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN payment_context(org, live, session_id, intent_id, inbound_id);
END $$;

CREATE OR REPLACE FUNCTION payment(org text, live boolean, payment_id text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (
        SELECT jsonb_build_object(
            'payment', to_jsonb(t),
            'purchase', (SELECT to_jsonb(p) FROM purchases p
                WHERE p.organization_id = org AND p.livemode = live AND p.id = t.purchase_id))
        FROM payments t WHERE t.organization_id = org AND t.livemode = live AND t.id = payment_id);
END $$;
