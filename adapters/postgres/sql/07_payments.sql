-- What a fact about an intent is decided on; the tenant has been entered. Without an intent, that of the session.
CREATE OR REPLACE FUNCTION booking_context(
    org text, live boolean, session_id text, asked_payment_intent text, asked_setup_intent text,
    asked_invoice text, stripe_method text, asked_intake text, inbound_id text
) RETURNS jsonb LANGUAGE plpgsql STABLE
-- Look-ups by key have one plan. Left to itself the planner makes a new one at each call, as where the session
-- names no customer it can save a look-up: far less than planning costs.
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    session      checkout_sessions;
    asked        intake_payments;
    -- Not inside the query: under row-level security the planner trusts no coalesce() before the policy, and
    -- would read all payments instead of the index.
    by_payment   text;
    by_setup     text;
BEGIN
    SELECT * INTO session FROM checkout_sessions t
        WHERE t.organization_id = org AND t.livemode = live AND t.id = session_id;
    IF asked_intake IS NOT NULL THEN
        SELECT * INTO asked FROM intake_payments t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = asked_intake;
    END IF;
    IF asked_payment_intent IS NULL AND asked_setup_intent IS NULL THEN
        by_payment := coalesce(session.payment_intent_id, asked.payment_intent_id);
        by_setup := session.setup_intent_id;
    ELSE
        by_payment := asked_payment_intent;
        by_setup := asked_setup_intent;
    END IF;
    RETURN jsonb_build_object(
        'handled', EXISTS (SELECT FROM inbound_events t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = inbound_id
                AND t.handled_at IS NOT NULL),
        'session', CASE WHEN session.id IS NOT NULL THEN to_jsonb(session) END,
        'completing', CASE WHEN by_payment IS NOT NULL THEN coalesce((SELECT t.id FROM checkout_sessions t
                WHERE t.organization_id = org AND t.livemode = live AND t.payment_intent_id = by_payment),
                CASE WHEN asked_intake IS NOT NULL THEN (SELECT t.id FROM intake_payments t
                    WHERE t.organization_id = org AND t.livemode = live AND t.payment_intent_id = by_payment) END)
            ELSE (SELECT t.id FROM checkout_sessions t
                WHERE t.organization_id = org AND t.livemode = live AND t.setup_intent_id = by_setup) END,
        'payment', (SELECT to_jsonb(t) FROM payments t
            WHERE t.organization_id = org AND t.livemode = live AND t.payment_intent_id = by_payment),
        'setup', CASE WHEN by_setup IS NOT NULL THEN (SELECT to_jsonb(t) FROM setups t
            WHERE t.organization_id = org AND t.livemode = live AND t.setup_intent_id = by_setup) END,
        'intake', CASE WHEN asked.id IS NOT NULL THEN to_jsonb(asked) END,
        'ground', CASE WHEN session.id IS NOT NULL THEN session_ground(org, live, session, stripe_method)
            WHEN asked_invoice IS NOT NULL THEN invoice_ground(org, live, asked_invoice)
            ELSE '{}' END);
END $$;

-- What completing a session is decided on.
CREATE OR REPLACE FUNCTION session_ground(org text, live boolean, session checkout_sessions, stripe_method text)
RETURNS jsonb LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    sold   jsonb;
    model  text;
    ground jsonb;
BEGIN
    -- The bought price's pricing model, unless it has been archived; then customer_terms takes the default.
    SELECT jsonb_build_object('price', to_jsonb(p), 'product', to_jsonb(q)), m.id INTO sold, model
        FROM prices p
        JOIN products q ON q.organization_id = p.organization_id AND q.livemode = p.livemode
            AND q.id = p.product_id
        LEFT JOIN pricing_models m ON m.organization_id = p.organization_id AND m.livemode = p.livemode
            AND m.id = p.pricing_model_id AND m.archived_at IS NULL
        WHERE p.organization_id = org AND p.livemode = live AND p.id = session.price_id;
    ground := coalesce(sold, '{}') || jsonb_build_object(
        'customer', (SELECT to_jsonb(t) FROM customers t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = session.customer_id),
        'purchase', (SELECT to_jsonb(t) FROM purchases t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = session.purchase_id),
        'invoice', CASE WHEN session.purchase_id IS NOT NULL THEN (SELECT to_jsonb(t) FROM invoices t
            WHERE t.organization_id = org AND t.livemode = live AND t.purchase_id = session.purchase_id) END,
        'terms', customer_terms(org, live, model),
        'sends_receipts', (SELECT t.sends_receipts FROM organizations t WHERE t.organization_id = org));
    IF session.collects = 'payment' THEN
        RETURN ground;
    END IF;
    RETURN ground || jsonb_build_object(
        'subscription', (SELECT to_jsonb(t) FROM subscriptions t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = session.subscription_id),
        'owed', (SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.id), '[]') FROM invoices t
            WHERE t.organization_id = org AND t.livemode = live AND t.subscription_id = session.subscription_id
                AND t.paid_at IS NULL AND t.status <> 'void'),
        'current', current_subscriptions(org, live, session.customer_id),
        'trial_used', trial_used(org, live, session.customer_id, sold #>> '{product,id}'),
        'payment_method', (SELECT to_jsonb(t) FROM payment_methods t
            WHERE t.organization_id = org AND t.livemode = live
                AND t.stripe_payment_method_id = stripe_method));
END $$;

-- What the payment of an invoice is decided on.
CREATE OR REPLACE FUNCTION invoice_ground(org text, live boolean, invoice_id text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT jsonb_build_object(
            'invoice', to_jsonb(i),
            'purchase', (SELECT to_jsonb(t) FROM purchases t
                WHERE t.organization_id = org AND t.livemode = live AND t.id = i.purchase_id),
            'subscription', (SELECT to_jsonb(t) FROM subscriptions t
                WHERE t.organization_id = org AND t.livemode = live AND t.id = i.subscription_id),
            'customer', (SELECT to_jsonb(t) FROM customers t
                WHERE t.organization_id = org AND t.livemode = live AND t.id = i.customer_id))
        FROM invoices i WHERE i.organization_id = org AND i.livemode = live AND i.id = invoice_id), '{}')
$$;

CREATE OR REPLACE FUNCTION fact_context(
    org text, live boolean, session_id text, asked_payment_intent text, asked_setup_intent text,
    asked_invoice text, stripe_method text, asked_intake text, inbound_id text
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN booking_context(org, live, session_id, asked_payment_intent, asked_setup_intent, asked_invoice,
        stripe_method, asked_intake, inbound_id);
END $$;

-- What charging for a subscription's invoice is decided on.
CREATE OR REPLACE FUNCTION charge_context(org text, live boolean, invoice_id text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (
        SELECT jsonb_build_object(
            'invoice', to_jsonb(i), 'customer', to_jsonb(c), 'subscription', to_jsonb(s),
            'payment_method', (SELECT to_jsonb(t) FROM payment_methods t
                WHERE t.organization_id = org AND t.livemode = live AND t.id = s.payment_method_id))
        FROM invoices i
        JOIN customers c ON c.organization_id = org AND c.livemode = live AND c.id = i.customer_id
        JOIN subscriptions s ON s.organization_id = org AND s.livemode = live AND s.id = i.subscription_id
        WHERE i.organization_id = org AND i.livemode = live AND i.id = invoice_id);
END $$;

-- What renewing a subscription is decided on.
CREATE OR REPLACE FUNCTION renewal_context(org text, live boolean, asked text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (
        SELECT jsonb_build_object(
            'subscription', to_jsonb(s), 'item', to_jsonb(i), 'customer', to_jsonb(c), 'product', to_jsonb(p),
            'standby', CASE WHEN s.cancel_at_period_end THEN standby(s) END,
            'price', (SELECT to_jsonb(t) FROM prices t
                WHERE t.organization_id = org AND t.livemode = live AND t.id = i.price_id),
            'sends_receipts', (SELECT t.sends_receipts FROM organizations t WHERE t.organization_id = org))
        FROM subscriptions s
        JOIN customers c ON c.organization_id = org AND c.livemode = live AND c.id = s.customer_id
        JOIN products p ON p.organization_id = org AND p.livemode = live AND p.id = s.product_id
        JOIN subscription_items i ON i.organization_id = org AND i.livemode = live AND i.subscription_id = s.id
        WHERE s.organization_id = org AND s.livemode = live AND s.id = asked
        ORDER BY i.id LIMIT 1);
END $$;

CREATE OR REPLACE FUNCTION payment(org text, live boolean, payment_id text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (
        SELECT jsonb_build_object(
            'payment', to_jsonb(t),
            'purchase', (SELECT to_jsonb(p) FROM purchases p
                WHERE p.organization_id = org AND p.livemode = live AND p.id = t.purchase_id),
            'invoice', (SELECT to_jsonb(i) FROM invoices i
                WHERE i.organization_id = org AND i.livemode = live AND i.id = t.invoice_id))
        FROM payments t WHERE t.organization_id = org AND t.livemode = live AND t.id = payment_id);
END $$;
