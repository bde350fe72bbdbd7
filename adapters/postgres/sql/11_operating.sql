-- What those who run the service ask for, at its command line.

-- Who acts there: the first user of the organization with this id, else with this slug; for null, of the only
-- organization there is. An id comes first, as a slug may be spelled like one.
CREATE OR REPLACE FUNCTION resolve_organization(reference text, live boolean) RETURNS jsonb LANGUAGE plpgsql
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

-- The keys of an organization, oldest first; with an id, that one.
CREATE OR REPLACE FUNCTION api_keys_of(org text, live boolean, key_id text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.id), '[]') FROM api_keys t
            WHERE t.organization_id = org AND t.livemode = live AND (key_id IS NULL OR t.id = key_id));
END $$;
