-- The entities of customers, as JSON of the domain's states.

-- The customer's, by id (ent_…), deleted ones too, else by external id among those that are not; the tenant has been
-- entered.
CREATE OR REPLACE FUNCTION find_entity(org text, live boolean, owner text, reference text) RETURNS entities
LANGUAGE plpgsql STABLE AS $$
DECLARE
    found_one entities;
BEGIN
    IF starts_with(reference, 'ent_') THEN
        SELECT * INTO found_one FROM entities t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = reference AND t.customer_id = owner;
    ELSE
        SELECT * INTO found_one FROM entities t
            WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = owner
                AND t.external_id = reference AND t.deleted_at IS NULL;
    END IF;
    RETURN found_one;
END $$;

-- What making or deleting an entity is decided on.
CREATE OR REPLACE FUNCTION entity_context(
    org text, live boolean, asked_customer text, asked_entity text, asked_feature text
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    owner text;
    known entities;
BEGIN
    PERFORM enter(org, live);
    owner := (find_customer(org, live, asked_customer)).id;
    IF owner IS NULL THEN
        RETURN '{"customer_id": null}';
    END IF;
    known := find_entity(org, live, owner, asked_entity);
    RETURN jsonb_build_object(
        'customer_id', owner,
        'entity', CASE WHEN known.id IS NOT NULL THEN to_jsonb(known) END,
        'feature', (SELECT to_jsonb(t) FROM features t
            WHERE t.organization_id = org AND t.livemode = live AND t.slug = asked_feature
                AND t.archived_at IS NULL),
        'current', (SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.id), '[]') FROM subscriptions t
            WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = owner
                AND t.entity_id = known.id AND t.status <> 'canceled'));
END $$;

-- Those that are not deleted, newest first. Null when there is no such customer.
CREATE OR REPLACE FUNCTION entities_page(
    org text, live boolean, asked_customer text, size int, before text
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    owner text;
    -- Not inside the query: see booking_context.
    upto  text := coalesce(before, '~');
BEGIN
    PERFORM enter(org, live);
    owner := (find_customer(org, live, asked_customer)).id;
    IF owner IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT coalesce(jsonb_agg(to_jsonb(page) ORDER BY page.id DESC), '[]') FROM (
        SELECT * FROM entities t
        WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = owner AND t.id < upto
            AND t.deleted_at IS NULL
        ORDER BY t.id DESC LIMIT size) AS page);
END $$;
