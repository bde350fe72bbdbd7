-- What is found before the tenant is known: run by the owner, who alone may read the routing tables, and who
-- enters the tenant before looking at anything of it.

CREATE OR REPLACE FUNCTION resolve_api_key(secret_hash text) RETURNS jsonb LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
DECLARE
    route route_api_keys;
BEGIN
    SELECT * INTO route FROM route_api_keys t WHERE t.secret_hash = resolve_api_key.secret_hash;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM enter(route.organization_id, route.livemode);
    RETURN (SELECT jsonb_build_object('type', 'authenticated', 'user_id', t.user_id, 'api_key_id', t.id,
                'organization_id', t.organization_id, 'livemode', t.livemode)
            FROM api_keys t
            WHERE t.organization_id = route.organization_id AND t.livemode = route.livemode
                AND t.id = route.api_key_id AND t.revoked_at IS NULL);
END $$;

CREATE OR REPLACE FUNCTION resolve_return_context(session_id text) RETURNS jsonb LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
DECLARE
    route route_checkout_sessions;
BEGIN
    SELECT * INTO route FROM route_checkout_sessions t WHERE t.checkout_session_id = session_id;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM enter(route.organization_id, route.livemode);
    RETURN booking_context(
        route.organization_id, route.livemode, session_id, NULL, NULL, NULL, NULL, NULL, NULL);
END $$;

CREATE OR REPLACE FUNCTION resolve_intake_return_context(asked_id text) RETURNS jsonb LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
DECLARE
    route route_intake_payments;
BEGIN
    SELECT * INTO route FROM route_intake_payments t WHERE t.intake_payment_id = asked_id;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM enter(route.organization_id, route.livemode);
    RETURN booking_context(
        route.organization_id, route.livemode, NULL, NULL, NULL, NULL, NULL, asked_id, NULL);
END $$;

-- What the page of an intake payment shows: nothing of the account that its e-mail may belong to.
CREATE OR REPLACE FUNCTION resolve_bill(asked_id text) RETURNS jsonb LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
DECLARE
    route route_intake_payments;
BEGIN
    SELECT * INTO route FROM route_intake_payments t WHERE t.intake_payment_id = asked_id;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM enter(route.organization_id, route.livemode);
    RETURN (
        SELECT jsonb_build_object(
            'asked', to_jsonb(i), 'seller', o.name,
            'payment', (SELECT to_jsonb(t) FROM payments t
                WHERE t.organization_id = i.organization_id AND t.livemode = i.livemode AND t.id = i.payment_id))
        FROM intake_payments i
        JOIN organizations o ON o.organization_id = i.organization_id
        WHERE i.organization_id = route.organization_id AND i.livemode = route.livemode AND i.id = asked_id);
END $$;

-- What the hosted page of a checkout session shows.
CREATE OR REPLACE FUNCTION resolve_offer(session_id text) RETURNS jsonb LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
DECLARE
    route route_checkout_sessions;
BEGIN
    SELECT * INTO route FROM route_checkout_sessions t WHERE t.checkout_session_id = session_id;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM enter(route.organization_id, route.livemode);
    RETURN (
        SELECT jsonb_build_object(
            'session', to_jsonb(s), 'product', to_jsonb(p), 'price', to_jsonb(prices), 'seller', o.name,
            'payment', (SELECT to_jsonb(t) FROM payments t
                WHERE t.organization_id = s.organization_id AND t.livemode = s.livemode
                    AND t.payment_intent_id = s.payment_intent_id),
            'setup', (SELECT to_jsonb(t) FROM setups t
                WHERE t.organization_id = s.organization_id AND t.livemode = s.livemode
                    AND t.setup_intent_id = s.setup_intent_id),
            'trial_used', trial_used(s.organization_id, s.livemode, s.customer_id, p.id))
        FROM checkout_sessions s
        JOIN organizations o ON o.organization_id = s.organization_id
        LEFT JOIN prices ON prices.organization_id = s.organization_id AND prices.livemode = s.livemode
            AND prices.id = s.price_id
        LEFT JOIN products p ON p.organization_id = s.organization_id AND p.livemode = s.livemode
            AND p.id = prices.product_id
        WHERE s.organization_id = route.organization_id AND s.livemode = route.livemode AND s.id = session_id);
END $$;

-- What the page of an invoice shows.
CREATE OR REPLACE FUNCTION resolve_invoice(invoice_id text) RETURNS jsonb LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
DECLARE
    route route_invoices;
BEGIN
    SELECT * INTO route FROM route_invoices t WHERE t.invoice_id = resolve_invoice.invoice_id;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    RETURN invoice(route.organization_id, route.livemode, route.invoice_id);
END $$;
