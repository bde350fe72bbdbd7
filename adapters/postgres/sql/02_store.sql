-- store_<table>(added, changed): store the rows of one table, each a JSON array of states or null.
-- Made from the catalog, so that every column is stored and none can be forgotten. A changed row's version is as
-- it was loaded and must still be the stored one, or CF001 (stale) is raised.

CREATE OR REPLACE PROCEDURE define_store(name text) LANGUAGE plpgsql AS $define$
DECLARE
    columns text := (
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = name::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'version');
    key_columns text[] := (
        SELECT array_agg(quote_ident(attname) ORDER BY array_position(conkey, attnum))
        FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
        WHERE conrelid = name::regclass AND contype = 'p');
BEGIN
    EXECUTE format($function$
        CREATE OR REPLACE FUNCTION %1$I(added jsonb, changed jsonb) RETURNS void LANGUAGE plpgsql AS $body$
        DECLARE
            given %2$I;
        BEGIN
            IF changed IS NOT NULL THEN
                IF jsonb_array_length(changed) > 1 THEN
                    -- Commits that meet on several rows lock them in one order, and so cannot deadlock.
                    PERFORM FROM %2$I AS stored
                        JOIN jsonb_populate_recordset(NULL::%2$I, changed) AS wanted USING (%3$s)
                        ORDER BY %3$s FOR NO KEY UPDATE OF stored;
                END IF;
                -- In the order in which they were recorded: what gives up a unique key comes before what takes it.
                FOR given IN SELECT * FROM jsonb_populate_recordset(NULL::%2$I, changed) LOOP
                    UPDATE %2$I AS stored SET (%4$s, version) = (%5$s, given.version + 1)
                        WHERE (%6$s) = (%7$s) AND stored.version = given.version;
                    IF NOT FOUND THEN
                        RAISE EXCEPTION 'stale' USING ERRCODE = 'CF001', DETAIL = %8$L || ' has changed';
                    END IF;
                END LOOP;
            END IF;
            IF added IS NOT NULL THEN
                INSERT INTO %2$I (%4$s, version)
                    SELECT %4$s, 1 FROM jsonb_populate_recordset(NULL::%2$I, added);
            END IF;
        END $body$
        $function$,
        'store_' || name,
        name,
        array_to_string(key_columns, ', '),
        columns,
        regexp_replace(columns, '(^|, )', '\1given.', 'g'),
        'stored.' || array_to_string(key_columns, ', stored.'),
        'given.' || array_to_string(key_columns, ', given.'),
        name);
END $define$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'organizations', 'users', 'api_keys', 'catalogs', 'features', 'pricing_models', 'products', 'prices',
        'customers', 'entities', 'payment_methods', 'subscriptions', 'subscription_items', 'checkout_sessions', 'purchases',
        'setups', 'invoices', 'intake_payments', 'payments', 'balances'
    ] LOOP
        CALL define_store(name);
    END LOOP;
END $$;
