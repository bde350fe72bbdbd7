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

-- Number committed events, at most so many, and say how many. One at a time: whoever comes second leaves it to
-- the first. An event waits while any transaction older than the oldest one still running could yet commit
-- before it: numbers never skip what becomes visible later. What we see from a transaction that has not begun
-- yet was restored from another server, and waits for nobody.
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
    )
    UPDATE events SET sequence = counters.last - counted.total + ready.n
        FROM ready JOIN counted USING (organization_id, livemode) JOIN counters USING (organization_id, livemode)
        WHERE events.organization_id = ready.organization_id AND events.livemode = ready.livemode
            AND events.id = ready.id;
    GET DIAGNOSTICS numbered = ROW_COUNT;
    RETURN numbered;
END $$;
