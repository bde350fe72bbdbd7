-- Who did what: events by their actor, newest first. Sequences have no gaps, so that a range of them says how many
-- events are looked at, however few are wanted.

CREATE OR REPLACE FUNCTION audit_page(
    org text, live boolean, before bigint, page_size int, looked_at int, wanted jsonb
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    top    bigint;
    bottom bigint;
    found  jsonb;
BEGIN
    PERFORM enter(org, live);
    top := coalesce(before, (SELECT t.last + 1 FROM event_counters t
        WHERE t.organization_id = org AND t.livemode = live), 1);
    bottom := greatest(top - looked_at, 1);
    SELECT coalesce(jsonb_agg(to_jsonb(e) - ARRAY['subject_type', 'subject_id', 'position', 'transaction_id']
            || jsonb_build_object('subject', jsonb_build_object('type', e.subject_type, 'id', e.subject_id))
            ORDER BY e.sequence DESC), '[]') INTO found
        FROM (SELECT * FROM events t
            WHERE t.organization_id = org AND t.livemode = live AND t.sequence < top AND t.sequence >= bottom
                AND (wanted ->> 'actor' IS NULL OR t.actor ->> 'type' = wanted ->> 'actor')
                AND (wanted ->> 'user_id' IS NULL OR t.actor ->> 'user_id' = wanted ->> 'user_id')
                AND (wanted ->> 'api_key_id' IS NULL OR t.actor ->> 'api_key_id' = wanted ->> 'api_key_id')
                AND (wanted ->> 'correlation_id' IS NULL OR t.correlation_id = wanted ->> 'correlation_id')
                AND (wanted ->> 'type' IS NULL OR t.type = wanted ->> 'type')
                AND (wanted ->> 'subject' IS NULL OR t.subject_id = wanted ->> 'subject')
            ORDER BY t.sequence DESC LIMIT page_size) AS e;
    RETURN jsonb_build_object('events', found, 'next_before', CASE
        WHEN jsonb_array_length(found) = page_size AND (found -> -1 -> 'sequence')::bigint > 1
            THEN found -> -1 -> 'sequence'
        WHEN jsonb_array_length(found) < page_size AND bottom > 1 THEN to_jsonb(bottom) END);
END $$;
