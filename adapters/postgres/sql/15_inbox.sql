-- What Stripe told us and did not fit: seen by whose it is, and tried again.

-- Newest first; those that came before this place, if one is given.
CREATE OR REPLACE FUNCTION inbox_page(
    org text, live boolean, size int, before_received_at timestamptz, before_id text
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    upto    timestamptz := coalesce(before_received_at, 'infinity');
    upto_id text := coalesce(before_id, '');
BEGIN
    PERFORM enter(org, live);
    RETURN (
        SELECT coalesce(jsonb_agg(to_jsonb(page) ORDER BY page.received_at DESC, page.id DESC), '[]') FROM (
            SELECT * FROM inbound_events t
            WHERE t.organization_id = org AND t.livemode = live AND t.handled_at IS NULL
                AND (t.received_at, t.id) < (upto, upto_id COLLATE "C")
            ORDER BY t.received_at DESC, t.id DESC LIMIT size) AS page);
END $$;

-- Across tenants, for the worker. As application/inbox_tries.py says, whose numbers are handed in.
CREATE OR REPLACE FUNCTION lease_unhandled(
    batch int, at timestamptz, shortest interval, longest interval, given_up_after interval
) RETURNS jsonb LANGUAGE sql AS $$
    WITH due AS (
        SELECT ctid AS place FROM inbound_events
        WHERE next_try_at <= at ORDER BY next_try_at LIMIT batch FOR UPDATE SKIP LOCKED
    ), leased AS (
        UPDATE inbound_events t SET next_try_at = CASE WHEN at - received_at < given_up_after
            THEN at + least(greatest(at - received_at, shortest), longest) END
        FROM due WHERE t.ctid = due.place RETURNING t.*
    )
    SELECT coalesce(jsonb_agg(to_jsonb(l) ORDER BY l.received_at, l.organization_id, l.livemode, l.id), '[]')
    FROM leased l
$$;

CREATE OR REPLACE FUNCTION settle_inbound_event(org text, live boolean, event_id text, at timestamptz)
RETURNS void LANGUAGE sql AS $$
    UPDATE inbound_events
    SET handled_at = at, refusal = NULL, reason = NULL, fact = NULL, next_try_at = NULL
    WHERE organization_id = org AND livemode = live AND id = event_id AND handled_at IS NULL
$$;
