-- What is asked of people by e-mail, and whose it is.

-- Who has proven that the e-mail is theirs, else who says so.
CREATE OR REPLACE FUNCTION user_of_email(org text, live boolean, asked_email_key text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN coalesce(
        (SELECT to_jsonb(t) FROM users t
            WHERE t.organization_id = org AND t.livemode = live AND t.email_key = asked_email_key
                AND t.email_verified_at IS NOT NULL),
        (SELECT to_jsonb(t) FROM users t
            WHERE t.organization_id = org AND t.livemode = live AND t.email_key = asked_email_key
                AND t.email_verified_at IS NULL));
END $$;

CREATE OR REPLACE FUNCTION intake_payment(org text, live boolean, asked_id text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (
        SELECT jsonb_build_object('asked', to_jsonb(i), 'user', (SELECT to_jsonb(t) FROM users t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = i.user_id))
        FROM intake_payments i WHERE i.organization_id = org AND i.livemode = live AND i.id = asked_id);
END $$;

-- Those made before the one named: of one user (by id or external id), asked of one e-mail, with one status; each
-- where it is given. Null when there is no such user.
CREATE OR REPLACE FUNCTION intake_page(
    org text, live boolean, size int, before text, asked_user text, asked_email_key text, status text
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    theirs text;
    page   jsonb;
BEGIN
    PERFORM enter(org, live);
    IF asked_user IS NOT NULL THEN
        theirs := (find_user(org, live, asked_user)).id;
        IF theirs IS NULL THEN
            RETURN NULL;
        END IF;
    END IF;
    -- Put together for what is asked, as page_of is.
    EXECUTE format(
        'SELECT coalesce(jsonb_agg(to_jsonb(page) ORDER BY page.id DESC), ''[]'') FROM (
            SELECT * FROM intake_payments t
            WHERE t.organization_id = $1 AND t.livemode = $2 AND t.id < $3 %s %s %s
            ORDER BY t.id DESC LIMIT $7) AS page',
        CASE WHEN theirs IS NOT NULL THEN 'AND t.user_id = $4' END,
        CASE WHEN asked_email_key IS NOT NULL THEN 'AND t.email_key = $5' END,
        CASE WHEN status IS NOT NULL THEN 'AND t.status = $6' END)
        INTO page USING org, live, coalesce(before, '~'), theirs, asked_email_key, status, size;
    RETURN page;
END $$;

-- A user's payments, newest first: of their customers, each by its own index, and of what was asked of them by
-- e-mail. Nobody else's is looked at. Null when there is no such user.
CREATE OR REPLACE FUNCTION payments_of_user(
    org text, live boolean, size int, before text, asked_user text
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    theirs text;
BEGIN
    PERFORM enter(org, live);
    theirs := (find_user(org, live, asked_user)).id;
    IF theirs IS NULL THEN
        RETURN NULL;
    END IF;
    before := coalesce(before, '~');
    RETURN (
        SELECT coalesce(jsonb_agg(to_jsonb(page) ORDER BY page.id DESC), '[]') FROM (
            SELECT * FROM (
                SELECT p.* FROM customers c
                CROSS JOIN LATERAL (
                    SELECT * FROM payments t
                    WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = c.id AND t.id < before
                    ORDER BY t.id DESC LIMIT size) AS p
                WHERE c.organization_id = org AND c.livemode = live AND c.user_id = theirs
                UNION ALL
                SELECT p.* FROM intake_payments i
                CROSS JOIN LATERAL (  -- one by one: there are few of somebody's, and many payments
                    SELECT * FROM payments t
                    WHERE t.organization_id = org AND t.livemode = live AND t.id = i.payment_id LIMIT 1) AS p
                WHERE i.organization_id = org AND i.livemode = live AND i.user_id = theirs AND i.payment_id < before
            ) AS paid
            ORDER BY paid.id DESC LIMIT size) AS page);
END $$;
