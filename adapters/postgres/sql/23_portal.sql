-- The billing portal: who is at its door, and what somebody who is in may see.

-- Whose session it is, for this transaction: the policies of the portal's role show nothing else. Either an account
-- or one customer.
CREATE OR REPLACE FUNCTION enter_as_buyer(org text, live boolean, user_id text, customer_id text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM enter(org, live);
    PERFORM set_config('app.buyer_user_id', coalesce(user_id, ''), true),
            set_config('app.buyer_customer_id', coalesce(customer_id, ''), true);
END $$;

CREATE OR REPLACE FUNCTION resolve_signing_key() RETURNS bytea LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
    SELECT key FROM signing_key
$$;
REVOKE EXECUTE ON FUNCTION resolve_signing_key() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION resolve_signing_key() TO counterfoil_app, counterfoil_worker;

CREATE OR REPLACE FUNCTION resolve_seller(slug text) RETURNS jsonb LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
DECLARE
    route route_organizations;
BEGIN
    SELECT * INTO route FROM route_organizations t WHERE t.slug = resolve_seller.slug;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM enter(route.organization_id, true);
    RETURN (SELECT jsonb_build_object('organization_id', t.organization_id, 'name', t.name)
            FROM organizations t WHERE t.organization_id = route.organization_id);
END $$;

-- `limits`: [{"of": "address" or "sender", "most", "seconds"}, …]. False, and nothing is stored, where one is
-- reached. Whoever asks for the same address, or from the same place, waits for the other: so it is counted right.
-- Addresses are locked before senders, so that nobody waits for each other.
CREATE OR REPLACE FUNCTION ask_for_access(request jsonb, task jsonb, limits jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    asked   access_requests := jsonb_populate_record(NULL::access_requests, request);
    reached boolean;
BEGIN
    PERFORM enter(asked.organization_id, asked.livemode);
    PERFORM pg_advisory_xact_lock(1, hashtext(asked.organization_id || asked.livemode || asked.email_key));
    PERFORM pg_advisory_xact_lock(2, hashtext(asked.organization_id || asked.livemode || asked.sender));
    SELECT bool_or(CASE limited ->> 'of'
        WHEN 'address' THEN (SELECT count(*) FROM access_requests t
            WHERE t.organization_id = asked.organization_id AND t.livemode = asked.livemode
                AND t.email_key = asked.email_key AND t.created_at > since)
        ELSE (SELECT count(*) FROM access_requests t
            WHERE t.organization_id = asked.organization_id AND t.livemode = asked.livemode
                AND t.sender = asked.sender AND t.created_at > since)
        END >= (limited -> 'most')::int) INTO reached
    FROM jsonb_array_elements(limits) AS limited,
        LATERAL (SELECT asked.created_at - make_interval(secs => (limited -> 'seconds')::float)) AS window_(since);
    IF reached THEN
        RETURN false;
    END IF;
    INSERT INTO access_requests SELECT asked.*;
    INSERT INTO tasks SELECT * FROM jsonb_populate_record(NULL::tasks, task);
    RETURN true;
END $$;

CREATE OR REPLACE FUNCTION count_access_try(org text, live boolean, request_id text, now timestamptz, most int)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    counted access_requests;
BEGIN
    PERFORM enter(org, live);
    UPDATE access_requests t SET tries = t.tries + 1
        WHERE t.organization_id = org AND t.livemode = live AND t.id = request_id
            AND t.used_at IS NULL AND t.expires_at > now AND t.tries < most
        RETURNING * INTO counted;
    RETURN CASE WHEN counted.id IS NULL THEN NULL ELSE to_jsonb(counted) END;
END $$;

CREATE OR REPLACE FUNCTION let_in(request_id text, session jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    begun portal_sessions := jsonb_populate_record(NULL::portal_sessions, session);
BEGIN
    PERFORM enter(begun.organization_id, begun.livemode);
    UPDATE access_requests t SET used_at = begun.created_at
        WHERE t.organization_id = begun.organization_id AND t.livemode = begun.livemode AND t.id = request_id
            AND t.used_at IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO portal_sessions SELECT begun.*;
    RETURN true;
END $$;

CREATE OR REPLACE FUNCTION add_portal_link(link jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    made portal_links := jsonb_populate_record(NULL::portal_links, link);
BEGIN
    PERFORM enter(made.organization_id, made.livemode);
    INSERT INTO portal_links SELECT made.*;
END $$;

CREATE OR REPLACE FUNCTION linked_customer(org text, live boolean, hash text, now timestamptz) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (SELECT to_jsonb(c) FROM portal_links t
            JOIN customers c ON c.organization_id = org AND c.livemode = live AND c.id = t.customer_id
                AND c.deleted_at IS NULL
            WHERE t.organization_id = org AND t.livemode = live AND t.secret_hash = hash
                AND t.used_at IS NULL AND t.expires_at > now);
END $$;

CREATE OR REPLACE FUNCTION let_in_by_link(session jsonb, hash text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    begun portal_sessions := jsonb_populate_record(NULL::portal_sessions, session);
BEGIN
    PERFORM enter(begun.organization_id, begun.livemode);
    UPDATE portal_links t SET used_at = begun.created_at
        WHERE t.organization_id = begun.organization_id AND t.livemode = begun.livemode AND t.secret_hash = hash
            AND t.customer_id = begun.customer_id AND t.used_at IS NULL AND t.expires_at > begun.created_at
            AND EXISTS (SELECT FROM customers c WHERE c.organization_id = t.organization_id
                AND c.livemode = t.livemode AND c.id = t.customer_id AND c.deleted_at IS NULL);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO portal_sessions SELECT begun.*;
    RETURN true;
END $$;

-- One of an account goes on as long as its address is the one that was proven before it began.
CREATE OR REPLACE FUNCTION portal_session(org text, live boolean, hash text, now timestamptz) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (SELECT to_jsonb(t) FROM portal_sessions t
            WHERE t.organization_id = org AND t.livemode = live AND t.secret_hash = hash
                AND t.ended_at IS NULL AND t.expires_at > now
                AND (t.user_id IS NULL OR EXISTS (SELECT FROM users u WHERE u.organization_id = org
                    AND u.livemode = live AND u.id = t.user_id AND u.email_verified_at <= t.created_at)));
END $$;

-- One session; else all of a customer, or of an account: those that links to its customers have begun, too.
CREATE OR REPLACE FUNCTION end_portal_sessions(
    org text, live boolean, session_id text, user_id text, customer_id text, now timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM enter(org, live);
    UPDATE portal_sessions t SET ended_at = now
        WHERE t.organization_id = org AND t.livemode = live AND t.ended_at IS NULL
            AND (t.id = session_id OR t.user_id = end_portal_sessions.user_id
                OR t.customer_id = end_portal_sessions.customer_id
                OR t.customer_id IN (SELECT c.id FROM customers c WHERE c.organization_id = org
                    AND c.livemode = live AND c.user_id = end_portal_sessions.user_id));
END $$;

-- Across tenants: for the worker, who alone may delete here.
CREATE OR REPLACE FUNCTION forget_access(before timestamptz, batch int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    name      text;
    forgotten int := 0;
    of_these  int;
BEGIN
    FOREACH name IN ARRAY ARRAY['access_requests', 'portal_sessions', 'portal_links'] LOOP
        EXECUTE format('DELETE FROM %1$I WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM %1$I WHERE expires_at < $1 ORDER BY expires_at LIMIT $2))', name)
            USING before, batch;
        GET DIAGNOSTICS of_these = ROW_COUNT;
        forgotten := forgotten + of_these;
    END LOOP;
    RETURN forgotten;
END $$;

-- The account of whoever has proven the address, and what of it is nobody's: customers, and what was asked of it by
-- e-mail; the tenant has been entered.
CREATE OR REPLACE FUNCTION known_by_address(org text, live boolean, address text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'account', (SELECT to_jsonb(t) FROM users t
            WHERE t.organization_id = org AND t.livemode = live AND t.email_key = address
                AND t.email_verified_at IS NOT NULL),
        'unlinked', (SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.id), '[]') FROM customers t
            WHERE t.organization_id = org AND t.livemode = live AND t.email_key COLLATE "C" = address
                AND t.user_id IS NULL AND t.deleted_at IS NULL),
        'asked', (SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.id), '[]') FROM intake_payments t
            WHERE t.organization_id = org AND t.livemode = live AND t.email_key = address AND t.user_id IS NULL))
$$;

CREATE OR REPLACE FUNCTION proof_context(org text, live boolean, address text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN known_by_address(org, live, address);
END $$;

CREATE OR REPLACE FUNCTION access_context(org text, live boolean, request_id text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    asked access_requests;
    known jsonb;
BEGIN
    PERFORM enter(org, live);
    SELECT * INTO asked FROM access_requests t
        WHERE t.organization_id = org AND t.livemode = live AND t.id = request_id;
    IF asked.id IS NULL THEN
        RETURN NULL;
    END IF;
    known := known_by_address(org, live, asked.email_key);
    RETURN jsonb_build_object(
        'request', to_jsonb(asked),
        'seller', (SELECT jsonb_build_object('organization_id', t.organization_id, 'name', t.name)
            FROM organizations t WHERE t.organization_id = org),
        'is_known', known -> 'account' <> 'null' OR known -> 'unlinked' <> '[]' OR known -> 'asked' <> '[]');
END $$;

-- What somebody who is in sees. Read as the portal's role, in a transaction entered as a buyer: nothing here says
-- whose rows are meant, as there are no others.
CREATE OR REPLACE FUNCTION portal_page(org text, live boolean, now timestamptz, newest int, most int) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN jsonb_build_object(
        'account', (SELECT to_jsonb(t) FROM users t WHERE t.organization_id = org AND t.livemode = live),
        'customers', (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'overview', customer_billing(org, live, c.id, now),
            'purchases', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                    'purchase', to_jsonb(p), 'price', to_jsonb(price), 'product', to_jsonb(product))
                ORDER BY p.id DESC), '[]') FROM (
                SELECT * FROM purchases t WHERE t.organization_id = org AND t.livemode = live
                    AND t.customer_id = c.id ORDER BY t.id DESC LIMIT newest) AS p
                JOIN prices price ON price.organization_id = org AND price.livemode = live AND price.id = p.price_id
                JOIN products product ON product.organization_id = org AND product.livemode = live
                    AND product.id = price.product_id),
            'payments', (SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY p.id DESC), '[]') FROM (
                SELECT * FROM payments t WHERE t.organization_id = org AND t.livemode = live
                    AND t.customer_id = c.id ORDER BY t.id DESC LIMIT newest) AS p)
        ) ORDER BY c.id DESC), '[]')
        FROM (SELECT * FROM customers t WHERE t.organization_id = org AND t.livemode = live
            ORDER BY t.id DESC LIMIT most) AS c),
        'asked', (SELECT coalesce(jsonb_agg(to_jsonb(i) ORDER BY i.id DESC), '[]') FROM (
            SELECT * FROM intake_payments t WHERE t.organization_id = org AND t.livemode = live
                AND t.user_id = buyer_user_id() ORDER BY t.id DESC LIMIT newest) AS i),
        'features', (SELECT coalesce(jsonb_object_agg(f.slug, f.name), '{}') FROM features f
            WHERE f.organization_id = org AND f.livemode = live AND f.archived_at IS NULL));
END $$;
