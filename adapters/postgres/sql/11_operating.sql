-- What those who run the service ask for, at its command line.

-- Who acts there: the first user of the organization with this id, else with this slug; for null, of the only
-- organization there is. An id comes first, as a slug may be spelled like one.
CREATE OR REPLACE FUNCTION resolve_organization(reference text, live boolean) RETURNS jsonb
LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
DECLARE
    org text;
BEGIN
    IF reference IS NULL THEN
        SELECT min(t.organization_id) INTO org FROM route_organizations t HAVING count(*) = 1;
    ELSE
        SELECT t.organization_id INTO org FROM route_organizations t
            WHERE t.organization_id = reference OR t.slug = reference
            ORDER BY t.organization_id = reference DESC LIMIT 1;
    END IF;
    IF org IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM enter(org, live);
    RETURN (SELECT jsonb_build_object('type', 'authenticated', 'user_id', t.id,
                'organization_id', t.organization_id, 'livemode', t.livemode)
            FROM users t WHERE t.organization_id = org AND t.livemode = live
            ORDER BY t.created_at, t.id LIMIT 1);
END $$;

CREATE OR REPLACE FUNCTION organization(org text, live boolean) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (SELECT to_jsonb(t) FROM organizations t WHERE t.organization_id = org);
END $$;

-- The keys of an organization, oldest first; with an id, that one.
CREATE OR REPLACE FUNCTION api_keys_of(org text, live boolean, key_id text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.id), '[]') FROM api_keys t
            WHERE t.organization_id = org AND t.livemode = live AND (key_id IS NULL OR t.id = key_id));
END $$;

-- What Stripe told us and could not be handled, by when it first came, after the one with this place. Whoever
-- sees across tenants sees all of it: that is the worker.
CREATE OR REPLACE FUNCTION inbox_unhandled(
    page_size int, after_received_at timestamptz, after_org text, after_live boolean, after_id text
) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(e) ORDER BY e.received_at, e.organization_id, e.livemode, e.id), '[]')
    FROM (SELECT * FROM inbound_events t
        WHERE t.handled_at IS NULL AND (after_received_at IS NULL
            OR (t.received_at, t.organization_id::text COLLATE "C", t.livemode, t.id)
                > (after_received_at, after_org COLLATE "C", after_live, after_id COLLATE "C"))
        ORDER BY t.received_at, t.organization_id, t.livemode, t.id LIMIT page_size) AS e
$$;

-- By Stripe's id, first come first; a list, of one or none.
CREATE OR REPLACE FUNCTION inbox_event(event_id text) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(e)), '[]')
    FROM (SELECT * FROM inbound_events t WHERE t.id = event_id
        ORDER BY t.received_at, t.organization_id, t.livemode LIMIT 1) AS e
$$;
