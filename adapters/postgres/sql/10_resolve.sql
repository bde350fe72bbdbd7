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
    RETURN payment_context(route.organization_id, route.livemode, session_id, NULL, NULL);
END $$;
