-- Forgetting who a customer was, wherever the books name them. Rows whose content changes get a new version, so
-- that nobody who has read them before writes back what is gone.
--
-- What names a person and is not here yet: add a line to `blank` (views, in events), one to redact_rows (rows), and,
-- if it has ids of its own, one to things_of.

-- What is left of a view's fields that name somebody; the rest of the view stays.
CREATE OR REPLACE FUNCTION blank(subject_type text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE subject_type
        WHEN 'customer' THEN '{"external_id": null, "email": null, "name": null, "user_id": null, "metadata": {},
            "fingerprint": null, "billing_address": null}'::jsonb
        WHEN 'checkout_session' THEN '{"customer_email": null, "customer_name": null, "billing_address": null,
            "success_url": null, "cancel_url": null, "metadata": {}}'
        WHEN 'invoice' THEN '{"billed_to": {"name": null, "email": null, "address": null}}'
        WHEN 'entity' THEN '{"name": null}'
        WHEN 'payment_method' THEN '{"brand": null, "last4": null, "exp_month": null, "exp_year": null}'
        ELSE '{}' END
$$;

-- What an application has written on refunds goes too.
CREATE OR REPLACE FUNCTION without_notes(refunds jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_agg(refund || '{"metadata": {}}' ORDER BY place), '[]')
    FROM jsonb_array_elements(refunds) WITH ORDINALITY AS given (refund, place)
$$;

CREATE OR REPLACE FUNCTION redacted_view(view jsonb, subject_type text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT view
        || (SELECT coalesce(jsonb_object_agg(field, nothing), '{}') FROM jsonb_each(blank(subject_type))
                AS fields (field, nothing) WHERE view ? field)
        || CASE WHEN subject_type = 'payment' AND view ? 'refunds'
            THEN jsonb_build_object('refunds', without_notes(view -> 'refunds')) ELSE '{}' END
        || CASE WHEN subject_type = 'entity' AND view ? 'external_id'
            THEN jsonb_build_object('external_id', view -> 'id') ELSE '{}' END
$$;

-- The ids of whatever is theirs; the tenant has been entered.
CREATE OR REPLACE FUNCTION things_of(org text, live boolean, known_id text) RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT array_agg(id) FROM (
        SELECT known_id AS id
        UNION ALL SELECT t.id FROM checkout_sessions t
            WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = known_id
        UNION ALL SELECT t.id FROM invoices t
            WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = known_id
        UNION ALL SELECT t.id FROM payment_methods t
            WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = known_id
        UNION ALL SELECT t.id FROM entities t
            WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = known_id
        UNION ALL SELECT t.id FROM payments t
            WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = known_id
        UNION ALL SELECT t.id FROM purchases t
            WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = known_id
        UNION ALL SELECT t.id FROM subscriptions t
            WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = known_id) AS things
$$;

CREATE OR REPLACE FUNCTION redact_rows(org text, live boolean, known_id text) RETURNS void LANGUAGE sql AS $$
    UPDATE checkout_sessions t SET customer_email = NULL, customer_name = NULL, billing_address = NULL,
            success_url = NULL, cancel_url = NULL, metadata = '{}', version = version + 1
        WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = known_id;
    UPDATE invoices t SET billed_to = blank('invoice') -> 'billed_to', receipt_email = NULL, version = version + 1
        WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = known_id;
    UPDATE payment_methods t SET brand = NULL, last4 = NULL, exp_month = NULL, exp_year = NULL,
            version = version + 1
        WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = known_id;
    UPDATE entities t SET name = NULL, external_id = t.id, version = version + 1
        WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = known_id;
    -- What an application has called its usage: nobody can say it again, as there is nobody to say it of.
    UPDATE usages t SET key = NULL, fingerprint = NULL, answer = NULL
        WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = known_id AND t.key IS NOT NULL;
    UPDATE payments t SET refunds = without_notes(t.refunds), version = version + 1
        WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = known_id
            AND t.refunds <> without_notes(t.refunds);
$$;

-- By the owner, who alone may change what has happened; the policies still show it this tenant's rows only. The
-- customer's own row was stored as it is to be. Raises CF001 where something was begun for them meanwhile: then the
-- caller decides again, with that in view.
CREATE OR REPLACE FUNCTION redact_customer(
    org text, live boolean, known_id text, known_email_key text, known_stripe_id text
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
DECLARE
    things text[];
BEGIN
    -- Waits for whoever is making something for them, and keeps out whoever comes later (living_customer).
    PERFORM FROM customers t WHERE t.organization_id = org AND t.livemode = live AND t.id = known_id FOR UPDATE;
    IF open_sessions(org, live, known_id) <> '[]' OR current_subscriptions(org, live, known_id) <> '[]' THEN
        RAISE EXCEPTION 'stale' USING ERRCODE = 'CF001', DETAIL = 'something was begun for the customer';
    END IF;
    PERFORM redact_rows(org, live, known_id);
    things := things_of(org, live, known_id);
    UPDATE events t SET data = t.data || jsonb_build_object(
            'object', redacted_view(t.data -> 'object', t.subject_type),
            'previous', CASE WHEN jsonb_typeof(t.data -> 'previous') = 'object'
                THEN redacted_view(t.data -> 'previous', t.subject_type) ELSE t.data -> 'previous' END)
        WHERE t.organization_id = org AND t.livemode = live AND t.subject_id = ANY (things)
            AND t.subject_type IN ('customer', 'checkout_session', 'invoice', 'payment_method', 'payment', 'entity');
    -- What endpoints have answered to being told of them.
    UPDATE delivery_attempts t SET reply = NULL FROM events e CROSS JOIN LATERAL deliveries_of(org, live, e.id) d
        WHERE t.organization_id = org AND t.livemode = live AND e.organization_id = org AND e.livemode = live
            AND t.delivery_id = d.id AND e.subject_id = ANY (things) AND t.reply IS NOT NULL;
    -- Whoever sends a named request again is told that it was about somebody who is gone.
    UPDATE kept_replies t SET reply = '{"status": 404, "body": ""}'
        WHERE t.organization_id = org AND t.livemode = live AND (t.subject_id = ANY (things)
            OR EXISTS (SELECT FROM regexp_matches(t.reply ->> 'body', '[a-z]+_[0-9a-z]{26}', 'g') AS named
                WHERE named[1] = ANY (things)));
    -- Stripe need not get to know them any more.
    DELETE FROM tasks t WHERE t.organization_id = org AND t.livemode = live
        AND t.effect ->> 'type' = 'create_stripe_customer' AND t.effect ->> 'customer_id' = known_id;
    -- Nobody is in the billing portal as them, or wants to be.
    DELETE FROM portal_sessions t WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = known_id;
    DELETE FROM portal_links t WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = known_id;
    DELETE FROM access_requests t
        WHERE t.organization_id = org AND t.livemode = live AND t.email_key = known_email_key;
    UPDATE inbound_events t SET fact = t.fact || '{"receipt_email": null}'
        WHERE t.organization_id = org AND t.livemode = live AND t.handled_at IS NULL
            AND t.fact ->> 'receipt_email' IS NOT NULL
            AND (t.fact ->> 'checkout_session_id' = ANY (things) OR t.fact ->> 'invoice_id' = ANY (things)
                OR t.fact ->> 'stripe_customer_id' = known_stripe_id
                OR lower(t.fact ->> 'receipt_email') = known_email_key);
END $$;
REVOKE EXECUTE ON FUNCTION redact_customer(text, boolean, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION redact_customer(text, boolean, text, text, text) TO counterfoil_app, counterfoil_worker;

-- Nothing is begun for somebody who is deleted at this moment, or was since they were looked up: CF001, and the
-- caller finds nobody.
CREATE OR REPLACE FUNCTION living_customer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    gone_at timestamptz;
BEGIN
    SELECT t.deleted_at INTO gone_at FROM customers t
        WHERE t.organization_id = NEW.organization_id AND t.livemode = NEW.livemode AND t.id = NEW.customer_id
        FOR KEY SHARE;
    IF gone_at IS NOT NULL THEN
        RAISE EXCEPTION 'stale' USING ERRCODE = 'CF001', DETAIL = 'the customer was deleted';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER living_customer BEFORE INSERT ON checkout_sessions FOR EACH ROW
    WHEN (NEW.customer_id IS NOT NULL) EXECUTE FUNCTION living_customer();
CREATE OR REPLACE TRIGGER living_customer BEFORE INSERT ON subscriptions FOR EACH ROW
    EXECUTE FUNCTION living_customer();
