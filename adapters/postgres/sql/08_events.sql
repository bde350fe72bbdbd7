-- The feed: events in the order in which they committed, by a number without gaps.

CREATE OR REPLACE FUNCTION events_page(
    org text, live boolean, after bigint, page_size int, wanted_type text, subject text
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (SELECT coalesce(jsonb_agg(to_jsonb(e)
            - ARRAY['subject_type', 'subject_id', 'position', 'transaction_id']
            || jsonb_build_object('subject', jsonb_build_object('type', e.subject_type, 'id', e.subject_id))
            ORDER BY e.sequence), '[]')
        FROM (SELECT * FROM events t
            WHERE t.organization_id = org AND t.livemode = live AND t.sequence > after
                AND (wanted_type IS NULL OR t.type = wanted_type)
                AND (subject IS NULL OR t.subject_id = subject)
            ORDER BY t.sequence LIMIT page_size) AS e);
END $$;

-- An event as it is told of, from its row; the same as RecordedEvent.
CREATE OR REPLACE FUNCTION told(e events) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT to_jsonb(e) - ARRAY['subject_type', 'subject_id', 'position', 'transaction_id']
        || jsonb_build_object('subject', jsonb_build_object('type', e.subject_type, 'id', e.subject_id))
$$;

-- Whether an endpoint is told of such an event; the rule of domain/webhook_endpoint.py. A test is for its own endpoint
-- alone.
CREATE OR REPLACE FUNCTION is_told(endpoint webhook_endpoints, event_type text, subject text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN event_type = 'webhook_endpoint.test' THEN endpoint.id = subject
        ELSE endpoint.event_types ?| ARRAY['*', event_type, split_part(event_type, '.', 1) || '.*'] END
$$;

-- The same for the same event and endpoint, and beginning with the event's time (domain/delivery.py).
CREATE OR REPLACE FUNCTION delivery_id(event_id text, endpoint_id text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT 'del_' || substr(event_id, 5, 10)
        || substr(encode(sha256(convert_to(event_id || endpoint_id, 'UTF8')), 'hex'), 1, 16)
$$;

-- An event's, to every endpoint that there is or was.
CREATE OR REPLACE FUNCTION deliveries_of(org text, live boolean, asked_event text) RETURNS SETOF deliveries
LANGUAGE sql STABLE AS $$
    SELECT d.* FROM webhook_endpoints w JOIN deliveries d ON d.organization_id = w.organization_id
        AND d.livemode = w.livemode AND d.id = delivery_id(asked_event, w.id)
    WHERE w.organization_id = org AND w.livemode = live
$$;

-- Number committed events, at most so many, and say how many. One at a time: whoever comes second leaves it to
-- the first. An event waits while any transaction older than the oldest one still running could yet commit
-- before it: numbers never skip what becomes visible later. What we see from a transaction that has not begun
-- yet was restored from another server, and waits for nobody.
--
-- In the same statement they are addressed to the endpoints that want them, so that no event has a number and not its
-- deliveries. An endpoint is told of what is numbered once it is there.
CREATE OR REPLACE FUNCTION sequence_events(batch int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    numbered int;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('counterfoil.sequence_events')) THEN
        RETURN 0;
    END IF;
    WITH ready AS (
        SELECT organization_id, livemode, id,
            row_number() OVER (PARTITION BY organization_id, livemode ORDER BY transaction_id, position) AS n
        FROM (SELECT * FROM events
            WHERE sequence IS NULL AND (transaction_id < pg_snapshot_xmin(pg_current_snapshot())
                OR transaction_id >= pg_snapshot_xmax(pg_current_snapshot()))
            ORDER BY transaction_id, position LIMIT batch) AS committed
    ), counted AS (
        SELECT organization_id, livemode, count(*) AS total FROM ready GROUP BY organization_id, livemode
    ), counters AS (
        INSERT INTO event_counters AS known SELECT organization_id, livemode, total FROM counted
        ON CONFLICT (organization_id, livemode) DO UPDATE SET last = known.last + excluded.last
        RETURNING known.organization_id, known.livemode, known.last
    ), placed AS (
        UPDATE events SET sequence = counters.last - counted.total + ready.n
        FROM ready JOIN counted USING (organization_id, livemode) JOIN counters USING (organization_id, livemode)
        WHERE events.organization_id = ready.organization_id AND events.livemode = ready.livemode
            AND events.id = ready.id
        RETURNING events.organization_id, events.livemode, events.id, events.type, events.subject_id,
            events.occurred_at, events.sequence
    ), addressed AS (
        INSERT INTO deliveries
        SELECT p.organization_id, p.livemode, delivery_id(p.id, e.id), e.id, p.id, p.type, p.sequence, 'pending', 0, 0,
            p.occurred_at, p.occurred_at, NULL
        FROM placed p JOIN webhook_endpoints e ON e.organization_id = p.organization_id AND e.livemode = p.livemode
            AND e.enabled AND is_told(e, p.type, p.subject_id)
    )
    SELECT count(*) INTO numbered FROM placed;
    RETURN numbered;
END $$;

-- By the owner, who alone may take an event away. From the oldest on, and no further than `before`: their time grows
-- with their number, but for a moment between processes. What is still to be delivered, or done, stays.
CREATE OR REPLACE FUNCTION forget_events_of(org text, live boolean, before timestamptz, batch int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
DECLARE
    known     events;
    forgotten int := 0;
BEGIN
    PERFORM enter(org, live);
    FOR known IN SELECT * FROM events t
        WHERE t.organization_id = org AND t.livemode = live AND t.sequence IS NOT NULL ORDER BY t.sequence
    LOOP
        EXIT WHEN known.occurred_at >= before OR forgotten = batch;
        CONTINUE WHEN EXISTS (SELECT FROM deliveries_of(org, live, known.id) d WHERE d.status = 'pending')
            OR EXISTS (SELECT FROM tasks k WHERE k.organization_id = org AND k.livemode = live
                AND k.causation_id = known.id);
        DELETE FROM events t WHERE t.organization_id = org AND t.livemode = live AND t.id = known.id;
        forgotten := forgotten + 1;
    END LOOP;
    RETURN forgotten;
END $$;
REVOKE EXECUTE ON FUNCTION forget_events_of(text, boolean, timestamptz, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_events_of(text, boolean, timestamptz, int) TO counterfoil_worker;

-- Across tenants: for the worker.
CREATE OR REPLACE FUNCTION forget_events(before timestamptz, batch int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    tenant    event_counters;
    forgotten int := 0;
BEGIN
    FOR tenant IN SELECT * FROM event_counters LOOP
        forgotten := forgotten + forget_events_of(tenant.organization_id, tenant.livemode, before, batch);
    END LOOP;
    RETURN forgotten;
END $$;
