-- Webhook endpoints, and what is brought to them; how deliveries come to be stands in 08_events.sql.

-- An endpoint, and since when nothing has arrived there; the tenant has been entered.
CREATE OR REPLACE FUNCTION endpoint_record(e webhook_endpoints) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('endpoint', to_jsonb(e), 'failing_since', (SELECT f.failing_since FROM endpoint_failures f
        WHERE f.organization_id = e.organization_id AND f.livemode = e.livemode AND f.endpoint_id = e.id))
$$;

CREATE OR REPLACE FUNCTION taken_slots(org text, live boolean) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (SELECT coalesce(jsonb_agg(t.slot ORDER BY t.slot), '[]') FROM webhook_endpoints t
        WHERE t.organization_id = org AND t.livemode = live AND t.deleted_at IS NULL);
END $$;

CREATE OR REPLACE FUNCTION webhook_endpoint(org text, live boolean, asked text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (SELECT endpoint_record(t) FROM webhook_endpoints t
        WHERE t.organization_id = org AND t.livemode = live AND t.id = asked AND t.deleted_at IS NULL);
END $$;

CREATE OR REPLACE FUNCTION webhook_endpoints_page(org text, live boolean, size int, before text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    -- Not inside the query: see booking_context.
    upto text := coalesce(before, '~');
BEGIN
    PERFORM enter(org, live);
    RETURN (SELECT coalesce(jsonb_agg(endpoint_record(page) ORDER BY page.id DESC), '[]') FROM (
        SELECT * FROM webhook_endpoints t
        WHERE t.organization_id = org AND t.livemode = live AND t.deleted_at IS NULL AND t.id < upto
        ORDER BY t.id DESC LIMIT size) AS page);
END $$;

-- What the owner, who is the first user, is told of an endpoint.
CREATE OR REPLACE FUNCTION endpoint_notice(org text, live boolean, asked text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (SELECT jsonb_build_object('endpoint', to_jsonb(t),
            'organization', (SELECT o.name FROM organizations o WHERE o.organization_id = org),
            'owner_email', (SELECT u.email FROM users u WHERE u.organization_id = org AND u.livemode = live
                ORDER BY u.created_at, u.id LIMIT 1))
        FROM webhook_endpoints t
        WHERE t.organization_id = org AND t.livemode = live AND t.id = asked AND t.deleted_at IS NULL);
END $$;

-- Newest first; null when there is no such endpoint. Put together for what is asked: see page_of.
CREATE OR REPLACE FUNCTION deliveries_page(
    org text, live boolean, endpoint text, wanted_status text, wanted_event text, size int, before text
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    upto bigint;
    page jsonb;
BEGIN
    PERFORM enter(org, live);
    IF NOT EXISTS (SELECT FROM webhook_endpoints t WHERE t.organization_id = org AND t.livemode = live
            AND t.id = endpoint AND t.deleted_at IS NULL) THEN
        RETURN NULL;
    END IF;
    upto := CASE WHEN before IS NOT NULL THEN coalesce((SELECT t.sequence FROM deliveries t
        WHERE t.organization_id = org AND t.livemode = live AND t.id = before), 0) END;
    EXECUTE format(
        'SELECT coalesce(jsonb_agg(to_jsonb(page) ORDER BY page.sequence DESC), ''[]'') FROM (
            SELECT * FROM deliveries t
            WHERE t.organization_id = $1 AND t.livemode = $2 AND t.endpoint_id = $3 %s %s %s
            ORDER BY t.sequence DESC LIMIT $7) AS page',
        CASE WHEN upto IS NOT NULL THEN 'AND t.sequence < $4' END,
        CASE WHEN wanted_status IS NOT NULL THEN format('AND t.status = %L', wanted_status) END,
        CASE WHEN wanted_event IS NOT NULL THEN 'AND t.id = delivery_id($6, $3)' END)
        INTO page USING org, live, endpoint, upto, wanted_status, wanted_event, size;
    RETURN page;
END $$;

CREATE OR REPLACE FUNCTION delivery(org text, live boolean, asked text) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (SELECT jsonb_build_object('delivery', to_jsonb(t), 'attempts',
            (SELECT coalesce(jsonb_agg(to_jsonb(a) ORDER BY a.number), '[]') FROM delivery_attempts a
                WHERE a.organization_id = org AND a.livemode = live AND a.delivery_id = t.id))
        FROM deliveries t JOIN webhook_endpoints e ON e.organization_id = t.organization_id
            AND e.livemode = t.livemode AND e.id = t.endpoint_id AND e.deleted_at IS NULL
        WHERE t.organization_id = org AND t.livemode = live AND t.id = asked);
END $$;

-- Deliver again, from `at` on, at most so many: one event, a range, or what was given up. Says how many.
CREATE OR REPLACE FUNCTION redeliver(
    org text, live boolean, endpoint text, wanted_event text, first bigint, last bigint, only_failed boolean,
    most int, at timestamptz
) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    again int;
BEGIN
    PERFORM enter(org, live);
    IF only_failed THEN
        UPDATE deliveries t SET status = 'pending', tries = 0, next_try_at = at, settled_at = NULL FROM (
            SELECT f.ctid AS place FROM deliveries f WHERE f.organization_id = org AND f.livemode = live
                AND f.endpoint_id = endpoint AND f.status = 'failed'
            ORDER BY f.sequence LIMIT most FOR UPDATE) AS failed
            WHERE t.ctid = failed.place;
    ELSE
        INSERT INTO deliveries AS known
        SELECT org, live, delivery_id(e.id, w.id), w.id, e.id, e.type, e.sequence, 'pending', 0, 0, at, at, NULL
            FROM webhook_endpoints w JOIN events e ON e.organization_id = w.organization_id AND e.livemode = w.livemode
            WHERE w.organization_id = org AND w.livemode = live AND w.id = endpoint AND e.sequence IS NOT NULL
                AND (e.id = wanted_event OR (e.sequence BETWEEN first AND last AND (is_told(w, e.type, e.subject_id)
                    OR EXISTS (SELECT FROM deliveries d WHERE d.organization_id = org AND d.livemode = live
                        AND d.id = delivery_id(e.id, endpoint)))))
            ORDER BY e.sequence LIMIT most
        ON CONFLICT (organization_id, livemode, id) DO UPDATE SET
            status = 'pending', tries = 0, next_try_at = at, settled_at = NULL;
    END IF;
    GET DIAGNOSTICS again = ROW_COUNT;
    RETURN again;
END $$;
