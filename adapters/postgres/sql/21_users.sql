-- What is read of users, as JSON of the domain's states.

-- By id (usr_…) or external id; the tenant has been entered.
CREATE OR REPLACE FUNCTION find_user(org text, live boolean, reference text) RETURNS users
LANGUAGE plpgsql STABLE AS $$
DECLARE
    found_one users;
BEGIN
    IF starts_with(reference, 'usr_') THEN
        SELECT * INTO found_one FROM users t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = reference;
    ELSE
        SELECT * INTO found_one FROM users t
            WHERE t.organization_id = org AND t.livemode = live AND t.external_id = reference;
    END IF;
    RETURN found_one;
END $$;

CREATE OR REPLACE FUNCTION user_account(org text, live boolean, reference text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    known users;
BEGIN
    PERFORM enter(org, live);
    known := find_user(org, live, reference);
    RETURN CASE WHEN known.id IS NOT NULL THEN to_jsonb(known) END;
END $$;

-- Who has the external id; who has the e-mail: proven, and claimed.
CREATE OR REPLACE FUNCTION sign_up_context(org text, live boolean, asked_id text, asked_email_key text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN jsonb_build_object(
        'named', (SELECT to_jsonb(t) FROM users t
            WHERE t.organization_id = org AND t.livemode = live AND t.external_id = asked_id),
        'proven', (SELECT to_jsonb(t) FROM users t
            WHERE t.organization_id = org AND t.livemode = live AND t.email_key = asked_email_key
                AND t.email_verified_at IS NOT NULL),
        'claimed', (SELECT to_jsonb(t) FROM users t
            WHERE t.organization_id = org AND t.livemode = live AND t.email_key = asked_email_key
                AND t.email_verified_at IS NULL));
END $$;

-- Whether others have the external id, and the e-mail: the one given, else the user's own.
CREATE OR REPLACE FUNCTION user_update_context(
    org text, live boolean, reference text, wanted_external_id text, wanted_email_key text
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    known  users;
    wanted text;
BEGIN
    PERFORM enter(org, live);
    known := find_user(org, live, reference);
    IF known.id IS NULL THEN
        RETURN NULL;
    END IF;
    wanted := coalesce(wanted_email_key, known.email_key);
    RETURN jsonb_build_object('user', to_jsonb(known), 'taken', jsonb_build_object(
        'external_id', EXISTS (SELECT FROM users t
            WHERE t.organization_id = org AND t.livemode = live AND t.external_id = wanted_external_id
                AND t.id <> known.id),
        'proven_email', EXISTS (SELECT FROM users t
            WHERE t.organization_id = org AND t.livemode = live AND t.email_key = wanted
                AND t.email_verified_at IS NOT NULL AND t.id <> known.id),
        'claimed_email', EXISTS (SELECT FROM users t
            WHERE t.organization_id = org AND t.livemode = live AND t.email_key = wanted
                AND t.email_verified_at IS NULL AND t.id <> known.id)));
END $$;

-- Newest first: those made before the one named, with this e-mail, who are this customer at Stripe, and who are none
-- there; each where it is given. Put together for what is asked: see page_of.
CREATE OR REPLACE FUNCTION user_page(
    org text, live boolean, size int, before text, email text, stripe_id text, is_unknown boolean
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    page jsonb;
BEGIN
    PERFORM enter(org, live);
    EXECUTE format(
        'SELECT coalesce(jsonb_agg(to_jsonb(page) ORDER BY page.id DESC), ''[]'') FROM (
            SELECT * FROM users t WHERE t.organization_id = $1 AND t.livemode = $2 AND t.id < $3 %s %s %s
            ORDER BY t.id DESC LIMIT $6) AS page',
        CASE WHEN email IS NOT NULL THEN 'AND t.email_key = $4' END,
        CASE WHEN stripe_id IS NOT NULL THEN 'AND t.stripe_customer_id = $5' END,
        CASE WHEN is_unknown THEN 'AND t.stripe_customer_id IS NULL' END)
        INTO page USING org, live, coalesce(before, '~'), email, stripe_id, size;
    RETURN page;
END $$;

-- Who are no customer at Stripe yet, oldest first: those made after the one named.
CREATE OR REPLACE FUNCTION users_unknown_to_stripe(org text, live boolean, size int, after text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    -- Not inside the query: see booking_context.
    beyond text := coalesce(after, '');
BEGIN
    PERFORM enter(org, live);
    RETURN (SELECT coalesce(jsonb_agg(to_jsonb(page) ORDER BY page.id), '[]') FROM (
        SELECT * FROM users t
        WHERE t.organization_id = org AND t.livemode = live AND t.stripe_customer_id IS NULL AND t.id > beyond
        ORDER BY t.id LIMIT size) AS page);
END $$;

CREATE OR REPLACE FUNCTION count_users_unknown_to_stripe(org text, live boolean) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (SELECT count(*) FROM users t
            WHERE t.organization_id = org AND t.livemode = live AND t.stripe_customer_id IS NULL);
END $$;
