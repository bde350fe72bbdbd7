-- What is read of users, as JSON of the domain's states.

CREATE OR REPLACE FUNCTION user_in_books(org text, live boolean, asked_id text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (SELECT to_jsonb(t) FROM users t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = asked_id);
END $$;
