-- The worker's bookkeeping of deliveries, across tenants.

-- What is due, of each endpoint no more than `each` less what is in hand already, and one at a time where nothing has
-- arrived since `doubtful` (domain/webhook_endpoint.py, most_at_once). Endpoints come in any order, anew each
-- time: where there are more than hands, none is always the last.
--
-- What is leased is changed where it lies (lease_tasks says why).
CREATE OR REPLACE FUNCTION lease_deliveries(
    batch int, each int, in_hand jsonb, at timestamptz, until timestamptz, doubtful timestamptz
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    taken jsonb;
BEGIN
    WITH RECURSIVE waiting AS (
        -- From one endpoint that has any to the next: neither those that have none are looked at, nor all that waits. In
        -- the order of `deliveries_due`, so that no other index does: most of what is in those has been delivered. (An
        -- endpoint's id is ours, and nobody else's.)
        (SELECT t.organization_id, t.livemode, t.endpoint_id FROM deliveries t WHERE t.status = 'pending'
            ORDER BY t.endpoint_id, t.next_try_at, t.sequence LIMIT 1)
        UNION ALL
        SELECT next.* FROM waiting w CROSS JOIN LATERAL (
            SELECT t.organization_id, t.livemode, t.endpoint_id FROM deliveries t
            WHERE t.status = 'pending' AND t.endpoint_id > w.endpoint_id
            ORDER BY t.endpoint_id, t.next_try_at, t.sequence LIMIT 1) AS next
    ), told AS MATERIALIZED (
        SELECT e.organization_id, e.livemode, e.id, greatest(CASE WHEN f.failing_since <= doubtful THEN 1 ELSE each END
            - coalesce((in_hand ->> e.id)::int, 0), 0) AS free
        FROM waiting w JOIN webhook_endpoints e ON e.organization_id = w.organization_id AND e.livemode = w.livemode
            AND e.id = w.endpoint_id LEFT JOIN endpoint_failures f ON f.organization_id = e.organization_id
            AND f.livemode = e.livemode AND f.endpoint_id = e.id
        WHERE e.enabled ORDER BY random()
    ), due AS MATERIALIZED (
        SELECT d.place FROM told CROSS JOIN LATERAL (
            SELECT t.ctid AS place FROM deliveries t
            WHERE t.organization_id = told.organization_id AND t.livemode = told.livemode AND t.endpoint_id = told.id
                AND t.status = 'pending' AND t.next_try_at <= at
            ORDER BY t.next_try_at, t.sequence LIMIT told.free FOR UPDATE SKIP LOCKED) AS d
        LIMIT batch
    ), leased AS (
        UPDATE deliveries t SET next_try_at = until, attempts = t.attempts + 1, tries = t.tries + 1 FROM due
        WHERE t.ctid = due.place RETURNING t.*
    )
    SELECT coalesce(jsonb_agg(jsonb_build_object(
            'delivery', to_jsonb(leased), 'event', told(e), 'endpoint', to_jsonb(w), 'failing_since', f.failing_since)
            ORDER BY leased.sequence), '[]') INTO taken
        FROM leased
        JOIN events e ON e.organization_id = leased.organization_id AND e.livemode = leased.livemode
            AND e.id = leased.event_id
        JOIN webhook_endpoints w ON w.organization_id = leased.organization_id AND w.livemode = leased.livemode
            AND w.id = leased.endpoint_id
        LEFT JOIN endpoint_failures f ON f.organization_id = leased.organization_id AND f.livemode = leased.livemode
            AND f.endpoint_id = leased.endpoint_id;
    RETURN taken;
END $$;

-- What came of an attempt. The delivery itself is changed only by whoever has it still: `leased_until` is the next_try_at
-- that this lease gave it, and what is not pending has none. `next_at` is null when it is not tried again.
CREATE OR REPLACE FUNCTION record_attempt(
    org text, live boolean, endpoint text, delivery text, leased_until timestamptz, attempt jsonb, next_at timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    arrived constant boolean := attempt ->> 'error' IS NULL;
    ended constant timestamptz := (attempt ->> 'at')::timestamptz
        + (attempt ->> 'duration_ms')::int * interval '1 millisecond';
BEGIN
    UPDATE deliveries t SET next_try_at = next_at,
            status = CASE WHEN arrived THEN 'succeeded' WHEN next_at IS NULL THEN 'failed' ELSE 'pending' END,
            settled_at = CASE WHEN next_at IS NULL THEN ended END
        WHERE t.organization_id = org AND t.livemode = live AND t.id = delivery AND t.next_try_at = leased_until;
    INSERT INTO delivery_attempts
        SELECT org, live, delivery, a.number, a.at, a.status, a.error, a.duration_ms, a.reply
        FROM jsonb_populate_record(NULL::delivery_attempts, attempt) AS a ON CONFLICT DO NOTHING;
    IF arrived THEN
        DELETE FROM endpoint_failures t WHERE t.organization_id = org AND t.livemode = live AND t.endpoint_id = endpoint;
    ELSE
        INSERT INTO endpoint_failures SELECT org, live, endpoint, (attempt ->> 'at')::timestamptz
            ON CONFLICT DO NOTHING;
    END IF;
END $$;

-- What was settled before then, and what is for endpoints that were deleted before then.
CREATE OR REPLACE FUNCTION forget_deliveries(before timestamptz, batch int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    forgotten int;
BEGIN
    WITH settled AS MATERIALIZED (
        SELECT t.ctid AS place FROM deliveries t
        WHERE t.settled_at < before ORDER BY t.settled_at LIMIT batch FOR UPDATE SKIP LOCKED
    ), left_over AS MATERIALIZED (
        SELECT t.ctid AS place FROM webhook_endpoints e JOIN deliveries t
            ON t.organization_id = e.organization_id AND t.livemode = e.livemode AND t.endpoint_id = e.id
        WHERE e.deleted_at < before LIMIT batch FOR UPDATE OF t SKIP LOCKED
    ), old AS (
        SELECT * FROM settled UNION SELECT * FROM left_over
    ), wanted AS MATERIALIZED (
        SELECT * FROM old LIMIT batch
    ), gone AS (
        DELETE FROM deliveries t USING wanted WHERE t.ctid = wanted.place
        RETURNING t.organization_id, t.livemode, t.id
    ), attempts AS (
        DELETE FROM delivery_attempts a USING gone
        WHERE a.organization_id = gone.organization_id AND a.livemode = gone.livemode AND a.delivery_id = gone.id
    )
    SELECT count(*) INTO forgotten FROM gone;
    RETURN forgotten;
END $$;
