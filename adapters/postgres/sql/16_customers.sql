-- What changing, deleting and listing customers is decided on, as JSON of the domain's states.

-- Also one who was deleted.
CREATE OR REPLACE FUNCTION customer_in_books(org text, live boolean, customer_id text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (SELECT to_jsonb(t) FROM customers t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = customer_id);
END $$;

-- Whether others have the external id, and the e-mail as those do who have no external id.
CREATE OR REPLACE FUNCTION update_context(
    org text, live boolean, reference text, wanted_external_id text, wanted_email_key text
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    known customers;
BEGIN
    PERFORM enter(org, live);
    known := find_customer(org, live, reference);
    IF known.id IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN jsonb_build_object('record', customer_record(known), 'taken', jsonb_build_object(
        'external_id', EXISTS (SELECT FROM customers t
            WHERE t.organization_id = org AND t.livemode = live AND t.external_id = wanted_external_id
                AND t.id <> known.id),
        'email', EXISTS (SELECT FROM customers t
            WHERE t.organization_id = org AND t.livemode = live AND t.email_key COLLATE "C" = wanted_email_key
                AND t.external_id IS NULL AND t.id <> known.id)));
END $$;

CREATE OR REPLACE FUNCTION deletion_context(org text, live boolean, reference text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    known customers;
BEGIN
    PERFORM enter(org, live);
    known := find_customer(org, live, reference);
    IF known.id IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN jsonb_build_object(
        'customer', to_jsonb(known),
        'subscriptions', current_subscriptions(org, live, known.id),
        'sessions', open_sessions(org, live, known.id));
END $$;

-- In the order of ids; the tenant has been entered.
CREATE OR REPLACE FUNCTION open_sessions(org text, live boolean, buyer_id text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.id), '[]') FROM checkout_sessions t
    WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = buyer_id AND t.status = 'open'
$$;

-- Newest first: those made before the one named, with this e-mail, with this external id, those that begin like this
-- (`address`: whose e-mail does), and those of this user (by id or external id); each where it is given. Null when there is no such user. The keys are compared byte by byte, and by operators that row-level security
-- trusts, so that the planner may choose: the indexes of the keys where few begin like this, the one of the ids
-- where many do.
CREATE OR REPLACE FUNCTION customer_page(
    org text, live boolean, size int, before text, email text, external text, beginning text, address text,
    account text
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    beyond text := beginning || chr(1114111);
    after  text := address || chr(1114111);
    owner  text;
    page   jsonb;
BEGIN
    PERFORM enter(org, live);
    IF account IS NOT NULL THEN
        owner := (find_user(org, live, account)).id;
        IF owner IS NULL THEN
            RETURN NULL;
        END IF;
    END IF;
    EXECUTE format(
        'SELECT coalesce(jsonb_agg(to_jsonb(page) ORDER BY page.id DESC), ''[]'') FROM (
            SELECT * FROM customers t
            WHERE t.organization_id = $1 AND t.livemode = $2 AND t.id < $3 AND t.deleted_at IS NULL %s %s %s %s
            ORDER BY t.id DESC LIMIT $8) AS page',
        CASE WHEN email IS NOT NULL THEN 'AND t.email_key COLLATE "C" = $4' END,
        CASE WHEN external IS NOT NULL THEN 'AND t.external_id = $5' END,
        CASE WHEN beginning IS NOT NULL THEN
            'AND (t.email_key COLLATE "C" >= $10 AND t.email_key COLLATE "C" < $11
                OR t.name_key >= $6 AND t.name_key < $7
                OR t.external_id_key >= $6 AND t.external_id_key < $7)' END,
        CASE WHEN owner IS NOT NULL THEN 'AND t.user_id = $9' END)
        INTO page USING org, live, coalesce(before, '~'), email, external, beginning, beyond, size, owner, address, after;
    RETURN page;
END $$;
