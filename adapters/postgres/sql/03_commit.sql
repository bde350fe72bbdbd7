-- The only way to write: units of work are stored whole, or not at all.
--
-- work: {"parts": [{"organization_id", "livemode", "inbound": [inbound event, …],
--                   "finished": [{"id", "needed"}, …] (tasks), "replies": [kept reply, …],
--                   "new": {<table>: [state, …]}, "changed": {<table>: [state, …]}, "events": […], "tasks": […],
--                   "redactions": [{"customer_id", "email_key", "stripe_customer_id"}, …]}]}
-- A part holds everything of one tenant, of one unit of work or of several (adapters/postgres/commits.py); what
-- is empty is left out. Raises CF001 when something was stale, CF002 when a named request is done already; a key that
-- is taken raises 23505 or 23P01. All undo everything.

CREATE OR REPLACE FUNCTION commit_work(work jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    part jsonb;
    org  text;
    live boolean;
BEGIN
    FOR part IN SELECT value FROM jsonb_array_elements(work -> 'parts') LOOP
        org := part ->> 'organization_id';
        live := part -> 'livemode';
        PERFORM enter(org, live);
        -- The causes first: two deliveries of one event, or two workers on one task, meet here and not later.
        IF part ? 'inbound' THEN
            PERFORM store_inbound_events(part -> 'inbound');
        END IF;
        IF part ? 'finished' THEN
            PERFORM finish_tasks(org, live, part -> 'finished');
        END IF;
        IF part ? 'replies' THEN
            PERFORM store_kept_replies(part -> 'replies');
        END IF;
        IF part ? 'new' OR part ? 'changed' THEN
            PERFORM store_rows(part -> 'new', part -> 'changed');
        END IF;
        IF part ? 'events' THEN
            PERFORM store_events(part -> 'events');
        END IF;
        IF part ? 'tasks' THEN
            INSERT INTO tasks SELECT * FROM jsonb_populate_recordset(NULL::tasks, part -> 'tasks');
        END IF;
        -- Last, as what this very work says of them is redacted too.
        IF part ? 'redactions' THEN
            PERFORM redact_customer(org, live, t.customer_id, t.email_key, t.stripe_customer_id)
            FROM jsonb_to_recordset(part -> 'redactions')
                AS t (customer_id text, email_key text, stripe_customer_id text) ORDER BY t.customer_id;
        END IF;
    END LOOP;
    SET CONSTRAINTS ALL IMMEDIATE;  -- what is judged at the end is judged here, and not at the connection's commit
END $$;

-- Table by table, what is referred to before what refers to it.
CREATE OR REPLACE FUNCTION store_rows(added jsonb, changed jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF added ? 'organizations' OR changed ? 'organizations' THEN
        PERFORM store_organizations(added -> 'organizations', changed -> 'organizations');
    END IF;
    IF added ? 'users' OR changed ? 'users' THEN
        PERFORM store_users(added -> 'users', changed -> 'users');
    END IF;
    IF added ? 'api_keys' OR changed ? 'api_keys' THEN
        PERFORM store_api_keys(added -> 'api_keys', changed -> 'api_keys');
    END IF;
    IF added ? 'catalogs' OR changed ? 'catalogs' THEN
        PERFORM store_catalogs(added -> 'catalogs', changed -> 'catalogs');
    END IF;
    IF added ? 'features' OR changed ? 'features' THEN
        PERFORM store_features(added -> 'features', changed -> 'features');
    END IF;
    IF added ? 'pricing_models' OR changed ? 'pricing_models' THEN
        PERFORM store_pricing_models(added -> 'pricing_models', changed -> 'pricing_models');
    END IF;
    IF added ? 'products' OR changed ? 'products' THEN
        PERFORM store_products(added -> 'products', changed -> 'products');
    END IF;
    IF added ? 'prices' OR changed ? 'prices' THEN
        PERFORM store_prices(added -> 'prices', changed -> 'prices');
    END IF;
    IF added ? 'customers' OR changed ? 'customers' THEN
        PERFORM store_customers(added -> 'customers', changed -> 'customers');
    END IF;
    IF added ? 'entities' OR changed ? 'entities' THEN
        PERFORM store_entities(added -> 'entities', changed -> 'entities');
    END IF;
    IF added ? 'payment_methods' OR changed ? 'payment_methods' THEN
        PERFORM store_payment_methods(added -> 'payment_methods', changed -> 'payment_methods');
    END IF;
    IF added ? 'subscriptions' OR changed ? 'subscriptions' THEN
        PERFORM store_subscriptions(added -> 'subscriptions', changed -> 'subscriptions');
    END IF;
    IF added ? 'subscription_items' OR changed ? 'subscription_items' THEN
        PERFORM store_subscription_items(added -> 'subscription_items', changed -> 'subscription_items');
    END IF;
    IF added ? 'checkout_sessions' OR changed ? 'checkout_sessions' THEN
        PERFORM store_checkout_sessions(added -> 'checkout_sessions', changed -> 'checkout_sessions');
    END IF;
    IF added ? 'purchases' OR changed ? 'purchases' THEN
        PERFORM store_purchases(added -> 'purchases', changed -> 'purchases');
    END IF;
    IF added ? 'setups' OR changed ? 'setups' THEN
        PERFORM store_setups(added -> 'setups', changed -> 'setups');
    END IF;
    IF added ? 'invoices' OR changed ? 'invoices' THEN
        PERFORM store_invoices(added -> 'invoices', changed -> 'invoices');
    END IF;
    IF added ? 'intake_payments' OR changed ? 'intake_payments' THEN
        PERFORM store_intake_payments(added -> 'intake_payments', changed -> 'intake_payments');
    END IF;
    IF added ? 'payments' OR changed ? 'payments' THEN
        PERFORM store_payments(added -> 'payments', changed -> 'payments');
    END IF;
    IF added ? 'balances' OR changed ? 'balances' THEN
        PERFORM store_balances(added -> 'balances', changed -> 'balances');
    END IF;
END $$;

CREATE OR REPLACE FUNCTION store_events(events jsonb) RETURNS void LANGUAGE sql AS $$
    INSERT INTO events (
        organization_id, livemode, id, type, occurred_at, subject_type, subject_id, data, actor,
        request_id, correlation_id, causation_id, hash, position)
    SELECT
        event ->> 'organization_id', (event -> 'livemode')::boolean, event ->> 'id', event ->> 'type',
        (event ->> 'occurred_at')::timestamptz, event #>> '{subject,type}', event #>> '{subject,id}',
        event -> 'data', event -> 'actor', event ->> 'request_id', event ->> 'correlation_id',
        event ->> 'causation_id', event ->> 'hash', position
    FROM jsonb_array_elements(events) WITH ORDINALITY AS given(event, position)
$$;

-- Once handled, an inbound event is handled for good; until then it may be tried again.
CREATE OR REPLACE FUNCTION store_inbound_events(events jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    taken int;
BEGIN
    INSERT INTO inbound_events AS stored SELECT * FROM jsonb_populate_recordset(NULL::inbound_events, events)
    ON CONFLICT (organization_id, livemode, id) DO UPDATE SET
        handled_at = excluded.handled_at, refusal = excluded.refusal, reason = excluded.reason,
        fact = excluded.fact, attempts = stored.attempts + 1, next_try_at = excluded.next_try_at
        WHERE stored.handled_at IS NULL;
    GET DIAGNOSTICS taken = ROW_COUNT;
    IF taken < jsonb_array_length(events) THEN
        RAISE EXCEPTION 'stale' USING ERRCODE = 'CF001', DETAIL = 'an inbound event has been handled';
    END IF;
END $$;

-- What a named request is answered, once for all; until it has a reply, the row it is about. A reply that
-- is a customer is not kept where they are deleted at this moment, or were since they were read.
CREATE OR REPLACE FUNCTION store_kept_replies(replies jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    taken int;
BEGIN
    INSERT INTO kept_replies AS stored SELECT * FROM jsonb_populate_recordset(NULL::kept_replies, replies)
    ON CONFLICT (organization_id, livemode, route, key) DO UPDATE SET reply = excluded.reply
        WHERE stored.reply IS NULL AND excluded.reply IS NOT NULL;
    GET DIAGNOSTICS taken = ROW_COUNT;
    IF taken < jsonb_array_length(replies) THEN
        RAISE EXCEPTION 'repeated' USING ERRCODE = 'CF002';
    END IF;
    IF EXISTS (SELECT FROM (
            SELECT c.deleted_at FROM jsonb_populate_recordset(NULL::kept_replies, replies) AS r
                JOIN customers c ON c.organization_id = r.organization_id AND c.livemode = r.livemode
                    AND c.id = substring(r.reply ->> 'body' FROM '^{"id": ?"(cus_[0-9a-z]{26})"')
            FOR KEY SHARE OF c) AS told WHERE told.deleted_at IS NOT NULL) THEN
        RAISE EXCEPTION 'stale' USING ERRCODE = 'CF001', DETAIL = 'the customer was deleted';
    END IF;
END $$;

-- A task that is gone has been finished by somebody else: then the work that needed it, if any did, is not needed.
CREATE OR REPLACE FUNCTION finish_tasks(org text, live boolean, finished jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    done int;
BEGIN
    WITH gone AS (
        DELETE FROM tasks t USING jsonb_to_recordset(finished) AS f (id text, needed boolean)
        WHERE t.organization_id = org AND t.livemode = live AND t.id = f.id RETURNING f.needed)
    SELECT count(*) INTO done FROM gone WHERE needed;
    IF done < (SELECT count(*) FROM jsonb_to_recordset(finished) AS f (id text, needed boolean) WHERE needed) THEN
        RAISE EXCEPTION 'stale' USING ERRCODE = 'CF001', DETAIL = 'a task has been finished';
    END IF;
END $$;
