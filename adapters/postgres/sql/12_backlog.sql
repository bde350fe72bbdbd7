-- How far behind the service is, across tenants: for the worker. Each count walks an index that holds only what
-- waits, from its oldest entry, and no further than `most` of them.

CREATE OR REPLACE FUNCTION backlog(at timestamptz, most int) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'events_to_number', (SELECT count(*) FROM
            (SELECT FROM events WHERE sequence IS NULL ORDER BY transaction_id, position LIMIT most) AS t),
        'oldest_event_at',
            (SELECT occurred_at FROM events WHERE sequence IS NULL ORDER BY transaction_id, position LIMIT 1),
        'tasks_due', (SELECT coalesce(jsonb_object_agg(kind, total), '{}') FROM
            (SELECT kind, count(*) AS total FROM
                (SELECT effect ->> 'type' AS kind FROM tasks WHERE parked_at IS NULL AND due_at <= at
                    ORDER BY due_at, id LIMIT most) AS t GROUP BY kind) AS t),
        'oldest_task_at', (SELECT due_at FROM tasks WHERE parked_at IS NULL AND due_at <= at
            ORDER BY due_at, id LIMIT 1),
        'tasks_later', (SELECT count(*) FROM
            (SELECT FROM tasks WHERE parked_at IS NULL AND due_at > at ORDER BY due_at, id LIMIT most) AS t),
        'tasks_parked', (SELECT coalesce(jsonb_object_agg(kind, total), '{}') FROM
            (SELECT kind, count(*) AS total FROM
                (SELECT effect ->> 'type' AS kind FROM tasks WHERE parked_at IS NOT NULL
                    ORDER BY parked_at LIMIT most) AS t GROUP BY kind) AS t),
        'unhandled', (SELECT coalesce(jsonb_object_agg(refusal, total), '{}') FROM
            (SELECT refusal, count(*) AS total FROM
                (SELECT refusal FROM inbound_events WHERE handled_at IS NULL
                    ORDER BY received_at LIMIT most) AS t GROUP BY refusal) AS t),
        'given_up', (SELECT count(*) FROM (SELECT FROM inbound_events
            WHERE handled_at IS NULL AND next_try_at IS NULL ORDER BY received_at LIMIT most) AS t),
        -- What waits for an endpoint that is disabled is not due.
        'deliveries_due', (SELECT count(*) FROM
            (SELECT FROM webhook_endpoints e CROSS JOIN LATERAL (SELECT FROM deliveries t
                WHERE t.organization_id = e.organization_id AND t.livemode = e.livemode AND t.endpoint_id = e.id
                    AND t.status = 'pending' AND t.next_try_at <= at
                    ORDER BY t.next_try_at, t.sequence LIMIT most) AS d
                WHERE e.enabled LIMIT most) AS t),
        'oldest_delivery_at', (SELECT min(d.next_try_at) FROM webhook_endpoints e CROSS JOIN LATERAL
            (SELECT t.next_try_at FROM deliveries t
                WHERE t.organization_id = e.organization_id AND t.livemode = e.livemode AND t.endpoint_id = e.id
                    AND t.status = 'pending' AND t.next_try_at <= at
                    ORDER BY t.next_try_at, t.sequence LIMIT 1) AS d
                WHERE e.enabled),
        'deliveries_failed', (SELECT count(*) FROM
            (SELECT FROM deliveries WHERE status = 'failed' LIMIT most) AS t),
        'endpoints_failing', (SELECT count(*) FROM (SELECT FROM endpoint_failures LIMIT most) AS t),
        -- While the column is NOT NULL there is none, and nothing has to be read to know it. Only where somebody
        -- has lifted that are customers counted, and only those without one can be seen (0004_tenants.sql).
        'customers_without_pricing_model', CASE
            WHEN (SELECT attnotnull FROM pg_attribute
                WHERE attrelid = 'customers'::regclass AND attname = 'pricing_model_id') THEN 0
            ELSE (SELECT count(*) FROM (SELECT FROM customers WHERE pricing_model_id IS NULL LIMIT most) AS t)
        END)
$$;
