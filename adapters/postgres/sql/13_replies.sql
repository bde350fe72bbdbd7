-- What has been answered to named requests.

CREATE OR REPLACE FUNCTION kept_reply(org text, live boolean, asked_route text, asked_key text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (SELECT to_jsonb(t) FROM kept_replies t
            WHERE t.organization_id = org AND t.livemode = live AND t.route = asked_route AND t.key = asked_key);
END $$;

-- Across tenants: for the worker, who alone may delete here.
CREATE OR REPLACE FUNCTION forget_replies(before timestamptz, batch int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    forgotten int;
BEGIN
    DELETE FROM kept_replies t USING (
        SELECT ctid AS place FROM kept_replies
        WHERE created_at < before ORDER BY created_at LIMIT batch FOR UPDATE SKIP LOCKED) AS old
    WHERE t.ctid = old.place;
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END $$;
