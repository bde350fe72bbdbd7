-- The worker's bookkeeping of tasks, across tenants.

-- What is locked is changed where it lies: by its keys PostgreSQL would look for it, and a table that was empty when it was
-- last counted is read from end to end for that.
CREATE OR REPLACE FUNCTION lease_tasks(batch int, at timestamptz, until timestamptz) RETURNS jsonb
LANGUAGE sql AS $$
    WITH due AS (
        SELECT ctid AS place FROM tasks
        WHERE parked_at IS NULL AND due_at <= at ORDER BY due_at, id LIMIT batch FOR UPDATE SKIP LOCKED
    ), leased AS (
        UPDATE tasks SET due_at = until, attempts = attempts + 1 FROM due WHERE tasks.ctid = due.place
        RETURNING tasks.*
    )
    SELECT coalesce(jsonb_agg(to_jsonb(leased) ORDER BY leased.created_at, leased.id), '[]') FROM leased
$$;

-- Of a task that has been finished, or leased by somebody else since, nothing is changed: `leased_until` is the
-- due_at that this lease gave it.
CREATE OR REPLACE FUNCTION postpone_task(
    org text, live boolean, task_id text, leased_until timestamptz, error text, at timestamptz, counted boolean
) RETURNS void LANGUAGE sql AS $$
    UPDATE tasks SET due_at = at, last_error = error, attempts = attempts - (NOT counted)::int
    WHERE organization_id = org AND livemode = live AND id = task_id AND due_at = leased_until
$$;

CREATE OR REPLACE FUNCTION park_task(
    org text, live boolean, task_id text, leased_until timestamptz, error text, at timestamptz
) RETURNS void LANGUAGE sql AS $$
    UPDATE tasks SET parked_at = at, last_error = error
    WHERE organization_id = org AND livemode = live AND id = task_id AND due_at = leased_until
$$;
