-- Who may see what. Row-level security is enabled and forced on every tenant table, for every role: a row is
-- there only for its own organization and mode, which each function sets for its own transaction.
-- The worker sees tasks, the inbox, kept replies and the order of events across tenants, and everything else as the app does;
-- and customers without a pricing model, of which there are none, so that one would be noticed.

DO $$
DECLARE
    name  text;
    same_organization constant text := $sql$organization_id = current_setting('app.organization_id', true)$sql$;
    same_mode constant text := $sql$livemode = nullif(current_setting('app.livemode', true), '')::boolean$sql$;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'organizations', 'users', 'api_keys', 'catalogs', 'features', 'pricing_models', 'products', 'prices',
        'customers', 'entities', 'payment_methods', 'subscriptions', 'subscription_items', 'checkout_sessions', 'purchases',
        'setups', 'invoices', 'intake_payments', 'payments', 'balances', 'balance_levels', 'balance_entries', 'usages',
        'events', 'event_counters', 'tasks', 'inbound_events', 'kept_replies'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I USING (%s)', name,
            CASE name WHEN 'organizations' THEN same_organization
            ELSE same_organization || ' AND ' || same_mode END);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO counterfoil_app, counterfoil_worker', name);
        IF name NOT IN ('events', 'event_counters', 'tasks', 'balance_entries', 'usages') THEN
            EXECUTE format('GRANT UPDATE ON %I TO counterfoil_app, counterfoil_worker', name);
        END IF;
    END LOOP;
    FOREACH name IN ARRAY ARRAY['events', 'event_counters', 'tasks', 'inbound_events', 'kept_replies'] LOOP
        EXECUTE format('CREATE POLICY across_tenants ON %I TO counterfoil_worker USING (true)', name);
    END LOOP;
    CREATE POLICY must_not_be ON customers FOR SELECT TO counterfoil_worker USING (pricing_model_id IS NULL);
END $$;

REVOKE INSERT ON event_counters FROM counterfoil_app;
GRANT UPDATE (sequence) ON events TO counterfoil_worker;
GRANT UPDATE ON event_counters TO counterfoil_worker;
GRANT UPDATE, DELETE ON tasks TO counterfoil_worker;
GRANT DELETE ON kept_replies TO counterfoil_worker;
