-- The only way to write: a unit of work is stored whole, or not at all.
--
-- work: {"parts": [{"organization_id", "livemode", "rows": {<table>: [state, …]}, "events": […], "tasks": […]}],
--        "inbound": inbound event or null, "task": finished task or null}
-- Raises CF001 when something was stale; a key that is taken raises 23505 or 23P01. All undo everything.

CREATE OR REPLACE FUNCTION commit_work(work jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    part jsonb;
BEGIN
    -- The cause first: two deliveries of one event, or two workers on one task, meet here and not later.
    IF work ->> 'inbound' IS NOT NULL THEN
        PERFORM store_inbound_event(work -> 'inbound');
    END IF;
    IF work ->> 'task' IS NOT NULL THEN
        PERFORM finish_task(work -> 'task', jsonb_array_length(work -> 'parts') > 0);
    END IF;
    FOR part IN SELECT value FROM jsonb_array_elements(work -> 'parts') LOOP
        PERFORM enter(part ->> 'organization_id', (part -> 'livemode')::boolean);
        PERFORM store_rows(part -> 'rows');
        PERFORM store_events(part -> 'events');
        IF jsonb_array_length(part -> 'tasks') > 0 THEN
            INSERT INTO tasks SELECT * FROM jsonb_populate_recordset(NULL::tasks, part -> 'tasks');
        END IF;
    END LOOP;
    SET CONSTRAINTS ALL IMMEDIATE;  -- what is judged at the end is judged here, and not at the connection's commit
END $$;

-- Table by table, what is referred to before what refers to it.
CREATE OR REPLACE FUNCTION store_rows(rows jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF rows ? 'organizations' THEN PERFORM store_organizations(rows -> 'organizations'); END IF;
    IF rows ? 'users' THEN PERFORM store_users(rows -> 'users'); END IF;
    IF rows ? 'api_keys' THEN PERFORM store_api_keys(rows -> 'api_keys'); END IF;
    IF rows ? 'catalogs' THEN PERFORM store_catalogs(rows -> 'catalogs'); END IF;
    IF rows ? 'features' THEN PERFORM store_features(rows -> 'features'); END IF;
    IF rows ? 'pricing_models' THEN PERFORM store_pricing_models(rows -> 'pricing_models'); END IF;
    IF rows ? 'products' THEN PERFORM store_products(rows -> 'products'); END IF;
    IF rows ? 'prices' THEN PERFORM store_prices(rows -> 'prices'); END IF;
    IF rows ? 'customers' THEN PERFORM store_customers(rows -> 'customers'); END IF;
    IF rows ? 'subscriptions' THEN PERFORM store_subscriptions(rows -> 'subscriptions'); END IF;
    IF rows ? 'subscription_items' THEN PERFORM store_subscription_items(rows -> 'subscription_items'); END IF;
    IF rows ? 'checkout_sessions' THEN PERFORM store_checkout_sessions(rows -> 'checkout_sessions'); END IF;
    IF rows ? 'purchases' THEN PERFORM store_purchases(rows -> 'purchases'); END IF;
    IF rows ? 'payments' THEN PERFORM store_payments(rows -> 'payments'); END IF;
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
CREATE OR REPLACE FUNCTION store_inbound_event(event jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM enter(event ->> 'organization_id', (event -> 'livemode')::boolean);
    INSERT INTO inbound_events AS stored
        SELECT * FROM jsonb_populate_record(NULL::inbound_events, event || '{"attempts": 1}')
    ON CONFLICT (organization_id, livemode, id) DO UPDATE SET
        handled_at = excluded.handled_at, refusal = excluded.refusal, reason = excluded.reason,
        fact = excluded.fact, attempts = stored.attempts + 1
        WHERE stored.handled_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'stale' USING ERRCODE = 'CF001', DETAIL = 'the inbound event has been handled';
    END IF;
END $$;

-- A task that is gone has been finished by somebody else: then this work, if it is any, is not needed.
CREATE OR REPLACE FUNCTION finish_task(task jsonb, with_work boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM enter(task ->> 'organization_id', (task -> 'livemode')::boolean);
    DELETE FROM tasks WHERE organization_id = task ->> 'organization_id'
        AND livemode = (task -> 'livemode')::boolean AND id = task ->> 'id';
    IF NOT FOUND AND with_work THEN
        RAISE EXCEPTION 'stale' USING ERRCODE = 'CF001', DETAIL = 'the task has been finished';
    END IF;
END $$;
