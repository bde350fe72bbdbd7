-- The billing portal: its door, and what somebody who is in may see.

-- A secret of this deployment: it signs what browsers hold, and makes the codes that are mailed. Read through
-- resolve_signing_key alone. From PostgreSQL's strong source of randomness: 244 bits.
CREATE TABLE signing_key (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    key      bytea NOT NULL
);
INSERT INTO signing_key (key)
    SELECT decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');

-- Who asks to be let in. Forgotten after two days: until then they are counted.
CREATE TABLE access_requests (
    organization_id typeid NOT NULL REFERENCES organizations,
    livemode        boolean NOT NULL,
    id              typeid NOT NULL,
    email           text NOT NULL,
    email_key       text NOT NULL,
    sender          text NOT NULL,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    tries           int NOT NULL,
    used_at         timestamptz,
    PRIMARY KEY (organization_id, livemode, id)
);
CREATE INDEX access_requests_of_address ON access_requests (organization_id, livemode, email_key, created_at);
CREATE INDEX access_requests_of_sender ON access_requests (organization_id, livemode, sender, created_at);
CREATE INDEX access_requests_over ON access_requests (expires_at);

-- Who is in: an account, or one customer. The browser holds a secret of which this is the hash.
CREATE TABLE portal_sessions (
    organization_id typeid NOT NULL,
    livemode        boolean NOT NULL,
    id              typeid NOT NULL,
    secret_hash     text COLLATE "C" NOT NULL,
    user_id         typeid,
    customer_id     typeid,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    PRIMARY KEY (organization_id, livemode, id),
    CONSTRAINT portal_sessions_secret UNIQUE (organization_id, livemode, secret_hash),
    CHECK ((user_id IS NULL) <> (customer_id IS NULL)),
    FOREIGN KEY (organization_id, livemode, user_id) REFERENCES users,
    FOREIGN KEY (organization_id, livemode, customer_id) REFERENCES customers
);
CREATE INDEX portal_sessions_of_user ON portal_sessions (organization_id, livemode, user_id)
    WHERE user_id IS NOT NULL;
CREATE INDEX portal_sessions_of_customer ON portal_sessions (organization_id, livemode, customer_id)
    WHERE customer_id IS NOT NULL;
CREATE INDEX portal_sessions_over ON portal_sessions (expires_at);

CREATE TABLE portal_links (
    organization_id typeid NOT NULL,
    livemode        boolean NOT NULL,
    secret_hash     text COLLATE "C" NOT NULL,
    customer_id     typeid NOT NULL,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    used_at         timestamptz,
    PRIMARY KEY (organization_id, livemode, secret_hash),
    FOREIGN KEY (organization_id, livemode, customer_id) REFERENCES customers
);
CREATE INDEX portal_links_of_customer ON portal_links (organization_id, livemode, customer_id);
CREATE INDEX portal_links_over ON portal_links (expires_at);

DO $$
DECLARE
    name text;
    tenant constant text := $sql$organization_id = current_setting('app.organization_id', true)
        AND livemode = nullif(current_setting('app.livemode', true), '')::boolean$sql$;
BEGIN
    FOREACH name IN ARRAY ARRAY['access_requests', 'portal_sessions', 'portal_links'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I USING (%s)', name, tenant);
        EXECUTE format('CREATE POLICY across_tenants ON %I TO counterfoil_worker USING (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO counterfoil_app', name);
        EXECUTE format('GRANT SELECT, DELETE ON %I TO counterfoil_worker', name);
    END LOOP;
END $$;

-- Whose session it is, for this transaction (sql/23_portal.sql: enter_as_buyer); null where nobody is.
CREATE FUNCTION buyer_user_id() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT nullif(current_setting('app.buyer_user_id', true), '')
$$;
CREATE FUNCTION buyer_customer_id() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT nullif(current_setting('app.buyer_customer_id', true), '')
$$;

-- The portal reads, and never more than what is its session's own: on top of the tenant's policy, so that a row has
-- to pass both. What is sold is there as far as it is sold to them. A table that is not here is closed to it.
DO $$
DECLARE
    name text;
    own  jsonb := jsonb_build_object(
        'organizations', 'EXISTS (SELECT FROM customers c)',
        'users', 'id = buyer_user_id()',
        'customers', '(user_id = buyer_user_id() OR id = buyer_customer_id()) AND deleted_at IS NULL',
        -- An account may have had another address, which it only claimed: what was asked of that is not shown.
        'intake_payments', 'user_id = buyer_user_id() AND email_key = (SELECT u.email_key FROM users u)',
        'payments', 'customer_id IN (SELECT c.id FROM customers c)
            OR intake_payment_id IN (SELECT i.id FROM intake_payments i)',
        'subscription_items', 'subscription_id IN (SELECT s.id FROM subscriptions s)',
        'balance_levels', 'balance_id IN (SELECT b.id FROM balances b)',
        'features', 'EXISTS (SELECT FROM customers c)',
        'pricing_models', 'id IN (SELECT c.pricing_model_id FROM customers c)',
        'products', 'pricing_model_id IN (SELECT c.pricing_model_id FROM customers c)',
        'prices', 'pricing_model_id IN (SELECT c.pricing_model_id FROM customers c)');
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'entities', 'payment_methods', 'subscriptions', 'checkout_sessions', 'purchases', 'invoices', 'balances'
    ] LOOP
        own := own || jsonb_build_object(name, 'customer_id IN (SELECT c.id FROM customers c)');
    END LOOP;
    FOR name IN SELECT jsonb_object_keys(own) LOOP
        EXECUTE format('CREATE POLICY own ON %I AS RESTRICTIVE TO counterfoil_portal USING (%s)',
            name, own ->> name);
        EXECUTE format('GRANT SELECT ON %I TO counterfoil_portal', name);
    END LOOP;
END $$;
