-- The books. Columns are named as the fields of the domain's states, and a test holds them to that: a row is
-- a state. Every key starts with organization_id, so that growth beyond one server is a matter of
-- distributing by it; livemode is part of every key too, so that no reference can cross from test to live.
-- Ids are compared byte by byte (COLLATE "C"), which is the order in which they were made.

CREATE DOMAIN typeid AS text COLLATE "C";

CREATE TABLE organizations (
    organization_id typeid PRIMARY KEY,
    name            text NOT NULL,
    slug            text NOT NULL,
    sends_receipts  boolean NOT NULL,
    created_at      timestamptz NOT NULL,
    version         int NOT NULL
);

CREATE TABLE users (
    organization_id            typeid NOT NULL REFERENCES organizations,
    livemode                   boolean NOT NULL,
    id                         typeid NOT NULL,
    external_id                text COLLATE "C",
    email                      text NOT NULL,
    email_key                  text NOT NULL,
    email_verified_at          timestamptz,
    name                       text,
    stripe_customer_id         text COLLATE "C",
    stripe_customer_created_at timestamptz,
    created_at                 timestamptz NOT NULL,
    version                    int NOT NULL,
    PRIMARY KEY (organization_id, livemode, id),
    CONSTRAINT users_external_id UNIQUE (organization_id, livemode, external_id)
);
-- One who has proven the address, and beside them one who only claims it.
CREATE UNIQUE INDEX users_email ON users (organization_id, livemode, email_key, (email_verified_at IS NOT NULL));
CREATE UNIQUE INDEX users_stripe_customer ON users (organization_id, livemode, stripe_customer_id)
    WHERE stripe_customer_id IS NOT NULL;
CREATE INDEX users_unknown_to_stripe ON users (organization_id, livemode, id) WHERE stripe_customer_id IS NULL;

CREATE TABLE api_keys (
    organization_id typeid NOT NULL,
    livemode        boolean NOT NULL,
    id              typeid NOT NULL,
    user_id         typeid NOT NULL,
    secret_hash     text NOT NULL,
    hint            text NOT NULL,
    created_at      timestamptz NOT NULL,
    revoked_at      timestamptz,
    version         int NOT NULL,
    PRIMARY KEY (organization_id, livemode, id),
    FOREIGN KEY (organization_id, livemode, user_id) REFERENCES users
);

CREATE TABLE catalogs (
    organization_id typeid NOT NULL REFERENCES organizations,
    livemode        boolean NOT NULL,
    id              typeid NOT NULL,
    applied_at      timestamptz NOT NULL,
    version         int NOT NULL,
    PRIMARY KEY (organization_id, livemode, id),
    CONSTRAINT catalogs_one UNIQUE (organization_id, livemode)
);

CREATE TABLE features (
    organization_id typeid NOT NULL REFERENCES organizations,
    livemode        boolean NOT NULL,
    id              typeid NOT NULL,
    slug            text NOT NULL,
    name            text NOT NULL,
    type            text NOT NULL,
    credit_rates    jsonb NOT NULL,
    created_at      timestamptz NOT NULL,
    archived_at     timestamptz,
    version         int NOT NULL,
    PRIMARY KEY (organization_id, livemode, id)
);
CREATE UNIQUE INDEX features_slug ON features (organization_id, livemode, slug) WHERE archived_at IS NULL;

CREATE TABLE pricing_models (
    organization_id typeid NOT NULL REFERENCES organizations,
    livemode        boolean NOT NULL,
    id              typeid NOT NULL,
    slug            text NOT NULL,
    name            text NOT NULL,
    is_default      boolean NOT NULL,
    created_at      timestamptz NOT NULL,
    archived_at     timestamptz,
    version         int NOT NULL,
    PRIMARY KEY (organization_id, livemode, id)
);
CREATE UNIQUE INDEX pricing_models_slug ON pricing_models (organization_id, livemode, slug)
    WHERE archived_at IS NULL;
CREATE UNIQUE INDEX pricing_models_one_default ON pricing_models (organization_id, livemode)
    WHERE is_default AND archived_at IS NULL;

CREATE TABLE products (
    organization_id    typeid NOT NULL,
    livemode           boolean NOT NULL,
    id                 typeid NOT NULL,
    pricing_model_id   typeid NOT NULL,
    slug               text NOT NULL,
    name               text NOT NULL,
    "group"            text NOT NULL,
    default_kind       text,
    is_add_on          boolean NOT NULL,
    features           jsonb NOT NULL,
    created_at         timestamptz NOT NULL,
    force_paid_default boolean NOT NULL,
    archived_at        timestamptz,
    version            int NOT NULL,
    PRIMARY KEY (organization_id, livemode, id),
    FOREIGN KEY (organization_id, livemode, pricing_model_id) REFERENCES pricing_models
);
CREATE UNIQUE INDEX products_slug ON products (organization_id, livemode, pricing_model_id, slug)
    WHERE archived_at IS NULL;
-- Of each kind. Judged at the end of the commit: two default products may trade groups.
ALTER TABLE products ADD CONSTRAINT products_one_default
    EXCLUDE (organization_id WITH =, livemode WITH =, pricing_model_id WITH =, "group" WITH =,
        default_kind WITH =)
    WHERE (default_kind IS NOT NULL AND archived_at IS NULL) DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE prices (
    organization_id     typeid NOT NULL,
    livemode            boolean NOT NULL,
    id                  typeid NOT NULL,
    pricing_model_id    typeid NOT NULL,
    product_id          typeid NOT NULL,
    slug                text NOT NULL,
    type                text NOT NULL,
    amount              bigint NOT NULL CHECK (amount >= 0),
    currency            text NOT NULL,
    "interval"          text,
    interval_count      int NOT NULL,
    trial_days          int,
    trial_requires_card boolean NOT NULL,
    created_at          timestamptz NOT NULL,
    archived_at         timestamptz,
    version             int NOT NULL,
    PRIMARY KEY (organization_id, livemode, id),
    FOREIGN KEY (organization_id, livemode, pricing_model_id) REFERENCES pricing_models,
    FOREIGN KEY (organization_id, livemode, product_id) REFERENCES products
);
CREATE UNIQUE INDEX prices_slug ON prices (organization_id, livemode, pricing_model_id, slug)
    WHERE archived_at IS NULL;
CREATE INDEX prices_of_product ON prices (organization_id, livemode, product_id);

CREATE TABLE customers (
    organization_id    typeid NOT NULL,
    livemode           boolean NOT NULL,
    id                 typeid NOT NULL,
    external_id        text COLLATE "C",
    email              text,
    email_key          text,
    name               text,
    user_id            typeid,
    pricing_model_id   typeid NOT NULL,
    stripe_customer_id text COLLATE "C",
    metadata           jsonb NOT NULL,
    fingerprint        text,
    billing_address    jsonb,
    created_at         timestamptz NOT NULL,
    deleted_at         timestamptz,
    name_key           text COLLATE "C",
    external_id_key    text COLLATE "C",
    version            int NOT NULL,
    PRIMARY KEY (organization_id, livemode, id),
    CONSTRAINT customers_external_id UNIQUE (organization_id, livemode, external_id),
    FOREIGN KEY (organization_id, livemode, pricing_model_id) REFERENCES pricing_models,
    FOREIGN KEY (organization_id, livemode, user_id) REFERENCES users
);
-- Whoever has no external id is known by their e-mail.
CREATE UNIQUE INDEX customers_email_without_id ON customers (organization_id, livemode, email_key)
    WHERE external_id IS NULL AND email_key IS NOT NULL;
CREATE UNIQUE INDEX customers_stripe_customer ON customers (organization_id, livemode, stripe_customer_id)
    WHERE stripe_customer_id IS NOT NULL;
-- Whoever is looked for by how they begin. Byte by byte: so a beginning is a range.
CREATE INDEX customers_by_email ON customers (organization_id, livemode, email_key COLLATE "C")
    WHERE email_key IS NOT NULL;
CREATE INDEX customers_of_user ON customers (organization_id, livemode, user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX customers_by_name ON customers (organization_id, livemode, name_key) WHERE name_key IS NOT NULL;
CREATE INDEX customers_by_external_id ON customers (organization_id, livemode, external_id_key)
    WHERE external_id_key IS NOT NULL;

CREATE TABLE entities (
    organization_id typeid NOT NULL,
    livemode        boolean NOT NULL,
    id              typeid NOT NULL,
    customer_id     typeid NOT NULL,
    external_id     text COLLATE "C" NOT NULL,
    name            text,
    feature_id      typeid,
    created_at      timestamptz NOT NULL,
    deleted_at      timestamptz,
    version         int NOT NULL,
    PRIMARY KEY (organization_id, livemode, id),
    FOREIGN KEY (organization_id, livemode, customer_id) REFERENCES customers,
    FOREIGN KEY (organization_id, livemode, feature_id) REFERENCES features
);
CREATE UNIQUE INDEX entities_external_id ON entities (organization_id, livemode, customer_id, external_id)
    WHERE deleted_at IS NULL;
CREATE INDEX entities_that_hold ON entities (organization_id, livemode, customer_id, feature_id)
    WHERE deleted_at IS NULL AND feature_id IS NOT NULL;
CREATE INDEX entities_of_customer ON entities (organization_id, livemode, customer_id, id)
    WHERE deleted_at IS NULL;

CREATE TABLE payment_methods (
    organization_id          typeid NOT NULL,
    livemode                 boolean NOT NULL,
    id                       typeid NOT NULL,
    customer_id              typeid NOT NULL,
    stripe_payment_method_id text COLLATE "C" NOT NULL,
    type                     text NOT NULL,
    brand                    text,
    last4                    text,
    exp_month                int,
    exp_year                 int,
    created_at               timestamptz NOT NULL,
    version                  int NOT NULL,
    PRIMARY KEY (organization_id, livemode, id),
    CONSTRAINT payment_methods_at_stripe UNIQUE (organization_id, livemode, stripe_payment_method_id),
    FOREIGN KEY (organization_id, livemode, customer_id) REFERENCES customers
);
CREATE INDEX payment_methods_of_customer ON payment_methods (organization_id, livemode, customer_id, id);

CREATE TABLE subscriptions (
    organization_id      typeid NOT NULL,
    livemode             boolean NOT NULL,
    id                   typeid NOT NULL,
    customer_id          typeid NOT NULL,
    pricing_model_id     typeid NOT NULL,
    product_id           typeid NOT NULL,
    product_slug         text NOT NULL,
    "group"              text NOT NULL,
    is_add_on            boolean NOT NULL,
    is_free              boolean NOT NULL,
    status               text NOT NULL,
    billing_anchor       timestamptz NOT NULL,
    trial_ends_at        timestamptz,
    current_period_start timestamptz NOT NULL,
    current_period_end   timestamptz,
    payment_method_id    typeid,
    created_at           timestamptz NOT NULL,
    overdue              jsonb NOT NULL,
    canceled_at          timestamptz,
    cancellation_reason  text,
    cancel_at_period_end boolean NOT NULL,
    replaced_by          typeid,
    entity_id            typeid,
    trial_fingerprint    text COLLATE "C",
    version              int NOT NULL,
    PRIMARY KEY (organization_id, livemode, id),
    FOREIGN KEY (organization_id, livemode, customer_id) REFERENCES customers,
    FOREIGN KEY (organization_id, livemode, product_id) REFERENCES products,
    FOREIGN KEY (organization_id, livemode, payment_method_id) REFERENCES payment_methods,
    FOREIGN KEY (organization_id, livemode, entity_id) REFERENCES entities,
    -- The one that takes another's place is stored after it.
    FOREIGN KEY (organization_id, livemode, replaced_by) REFERENCES subscriptions
        DEFERRABLE INITIALLY DEFERRED
);
CREATE UNIQUE INDEX subscriptions_one_current
    ON subscriptions (organization_id, livemode, coalesce(entity_id, customer_id), "group")
    WHERE NOT is_add_on AND status <> 'canceled';
-- A trial is given once, for good: also when it has ended, or the customer has gone.
CREATE UNIQUE INDEX subscriptions_one_trial
    ON subscriptions (organization_id, livemode, trial_fingerprint, product_id)
    WHERE trial_fingerprint IS NOT NULL;
CREATE INDEX subscriptions_of_customer ON subscriptions (organization_id, livemode, customer_id, id);
CREATE INDEX subscriptions_by_status ON subscriptions (organization_id, livemode, status, id);

CREATE TABLE subscription_items (
    organization_id typeid NOT NULL,
    livemode        boolean NOT NULL,
    id              typeid NOT NULL,
    subscription_id typeid NOT NULL,
    product_id      typeid NOT NULL,
    price_id        typeid,
    quantity        int NOT NULL CHECK (quantity > 0),
    created_at      timestamptz NOT NULL,
    version         int NOT NULL,
    PRIMARY KEY (organization_id, livemode, id),
    FOREIGN KEY (organization_id, livemode, subscription_id) REFERENCES subscriptions,
    FOREIGN KEY (organization_id, livemode, price_id) REFERENCES prices
);
CREATE INDEX subscription_items_of ON subscription_items (organization_id, livemode, subscription_id);

CREATE TABLE checkout_sessions (
    organization_id        typeid NOT NULL,
    livemode               boolean NOT NULL,
    id                     typeid NOT NULL,
    type                   text NOT NULL,
    collects               text NOT NULL,
    status                 text NOT NULL,
    price_id               typeid,
    quantity               int NOT NULL CHECK (quantity > 0),
    quantities             jsonb NOT NULL,
    amount                 bigint NOT NULL CHECK (amount >= 0),
    currency               text,
    customer_id            typeid,
    customer_email         text,
    customer_name          text,
    billing_address        jsonb,
    success_url            text,
    cancel_url             text,
    metadata               jsonb NOT NULL,
    preserve_billing_cycle boolean NOT NULL,
    all_subscriptions      boolean NOT NULL,
    stripe_customer_id     text COLLATE "C",
    payment_intent_id      text COLLATE "C",
    setup_intent_id        text COLLATE "C",
    client_secret          text,
    client_token           text NOT NULL,
    purchase_id            typeid,
    subscription_id        typeid,
    expires_at             timestamptz NOT NULL,
    created_at             timestamptz NOT NULL,
    entity_id              typeid,
    version                int NOT NULL,
    PRIMARY KEY (organization_id, livemode, id),
    FOREIGN KEY (organization_id, livemode, price_id) REFERENCES prices,
    FOREIGN KEY (organization_id, livemode, customer_id) REFERENCES customers,
    FOREIGN KEY (organization_id, livemode, entity_id) REFERENCES entities,
    FOREIGN KEY (organization_id, livemode, subscription_id) REFERENCES subscriptions
);
CREATE UNIQUE INDEX checkout_sessions_intent ON checkout_sessions (organization_id, livemode, payment_intent_id)
    WHERE payment_intent_id IS NOT NULL;
CREATE UNIQUE INDEX checkout_sessions_setup ON checkout_sessions (organization_id, livemode, setup_intent_id)
    WHERE setup_intent_id IS NOT NULL;
CREATE INDEX checkout_sessions_unsettled ON checkout_sessions (organization_id, livemode, id)
    WHERE status IN ('open', 'pending');
CREATE INDEX checkout_sessions_of_customer ON checkout_sessions (organization_id, livemode, customer_id, id)
    WHERE customer_id IS NOT NULL;

-- What an application makes before it is paid has no session yet.
CREATE TABLE purchases (
    organization_id     typeid NOT NULL,
    livemode            boolean NOT NULL,
    id                  typeid NOT NULL,
    checkout_session_id typeid,
    customer_id         typeid NOT NULL,
    price_id            typeid NOT NULL,
    quantity            int NOT NULL CHECK (quantity > 0),
    amount              bigint NOT NULL CHECK (amount >= 0),
    currency            text NOT NULL,
    status              text NOT NULL,
    created_at          timestamptz NOT NULL,
    completed_at        timestamptz,
    version             int NOT NULL,
    PRIMARY KEY (organization_id, livemode, id),
    CONSTRAINT purchases_one_per_session UNIQUE (organization_id, livemode, checkout_session_id),
    FOREIGN KEY (organization_id, livemode, checkout_session_id) REFERENCES checkout_sessions,
    FOREIGN KEY (organization_id, livemode, customer_id) REFERENCES customers,
    FOREIGN KEY (organization_id, livemode, price_id) REFERENCES prices
);
CREATE INDEX purchases_of_customer ON purchases (organization_id, livemode, customer_id, id);
CREATE INDEX purchases_by_status ON purchases (organization_id, livemode, status, id);
-- A session and its purchase name each other; whichever row is written first, both are there in the end.
ALTER TABLE checkout_sessions ADD FOREIGN KEY (organization_id, livemode, purchase_id) REFERENCES purchases
    DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE setups (
    organization_id     typeid NOT NULL,
    livemode            boolean NOT NULL,
    id                  typeid NOT NULL,
    setup_intent_id     text COLLATE "C" NOT NULL,
    checkout_session_id typeid NOT NULL,
    customer_id         typeid,
    payment_method_id   typeid,
    endings             jsonb NOT NULL,
    attempts            jsonb NOT NULL,
    status              text NOT NULL,
    created_at          timestamptz NOT NULL,
    version             int NOT NULL,
    PRIMARY KEY (organization_id, livemode, id),
    CONSTRAINT setups_one_per_intent UNIQUE (organization_id, livemode, setup_intent_id),
    FOREIGN KEY (organization_id, livemode, checkout_session_id) REFERENCES checkout_sessions,
    FOREIGN KEY (organization_id, livemode, customer_id) REFERENCES customers,
    FOREIGN KEY (organization_id, livemode, payment_method_id) REFERENCES payment_methods
);

CREATE TABLE invoices (
    organization_id   typeid NOT NULL,
    livemode          boolean NOT NULL,
    id                typeid NOT NULL,
    customer_id       typeid NOT NULL,
    purchase_id       typeid,
    subscription_id   typeid,
    period_start      timestamptz,
    period_end        timestamptz,
    billed_to         jsonb NOT NULL,
    receipt_email     text,
    currency          text NOT NULL,
    lines             jsonb NOT NULL,
    total             bigint NOT NULL CHECK (total >= 0),
    amount_paid       bigint NOT NULL CHECK (amount_paid >= 0),
    amount_refunded   bigint NOT NULL CHECK (amount_refunded >= 0),
    status            text NOT NULL,
    number            bigint CHECK (number > 0),
    payment_intent_id text COLLATE "C",
    charge_attempts   int NOT NULL,
    created_at        timestamptz NOT NULL,
    finalized_at      timestamptz,
    paid_at           timestamptz,
    page_token        text COLLATE "C",
    version           int NOT NULL,
    CHECK ((number IS NULL) = (page_token IS NULL)),
    PRIMARY KEY (organization_id, livemode, id),
    -- What makes numbers without gaps: whoever gives one takes the next, and two cannot take the same.
    CONSTRAINT invoices_number UNIQUE (organization_id, livemode, number),
    CONSTRAINT invoices_one_per_purchase UNIQUE (organization_id, livemode, purchase_id),
    CONSTRAINT invoices_one_per_period UNIQUE (organization_id, livemode, subscription_id, period_end),
    FOREIGN KEY (organization_id, livemode, customer_id) REFERENCES customers,
    FOREIGN KEY (organization_id, livemode, purchase_id) REFERENCES purchases,
    FOREIGN KEY (organization_id, livemode, subscription_id) REFERENCES subscriptions
);
CREATE INDEX invoices_to_number ON invoices (organization_id, livemode, id)
    WHERE number IS NULL AND status <> 'void';
CREATE INDEX invoices_unsettled ON invoices (organization_id, livemode, id)
    WHERE payment_intent_id IS NOT NULL AND paid_at IS NULL AND status <> 'void';
CREATE INDEX invoices_of_customer ON invoices (organization_id, livemode, customer_id, id);
CREATE INDEX invoices_by_status ON invoices (organization_id, livemode, status, id);

-- What is asked of somebody by e-mail. Its payment is not there before somebody has tried to pay.
CREATE TABLE intake_payments (
    organization_id    typeid NOT NULL,
    livemode           boolean NOT NULL,
    id                 typeid NOT NULL,
    status             text NOT NULL,
    email              text NOT NULL,
    email_key          text COLLATE "C" NOT NULL,
    name               text,
    amount             bigint NOT NULL CHECK (amount > 0),
    currency           text NOT NULL,
    description        text NOT NULL,
    metadata           jsonb NOT NULL,
    success_url        text,
    user_id            typeid,
    stripe_customer_id text COLLATE "C",
    payment_intent_id  text COLLATE "C",
    client_secret      text,
    payment_id         typeid,
    created_at         timestamptz NOT NULL,
    canceled_at        timestamptz,
    completed_at       timestamptz,
    version            int NOT NULL,
    PRIMARY KEY (organization_id, livemode, id),
    FOREIGN KEY (organization_id, livemode, user_id) REFERENCES users
);
CREATE UNIQUE INDEX intake_payments_intent ON intake_payments (organization_id, livemode, payment_intent_id)
    WHERE payment_intent_id IS NOT NULL;
CREATE INDEX intake_payments_unsettled ON intake_payments (organization_id, livemode, id)
    WHERE payment_intent_id IS NOT NULL AND status NOT IN ('succeeded', 'canceled');
CREATE INDEX intake_payments_of_user ON intake_payments (organization_id, livemode, user_id, id)
    WHERE user_id IS NOT NULL;
CREATE INDEX intake_payments_by_email ON intake_payments (organization_id, livemode, email_key, id);
CREATE INDEX intake_payments_by_status ON intake_payments (organization_id, livemode, status, id);

CREATE TABLE payments (
    organization_id     typeid NOT NULL,
    livemode            boolean NOT NULL,
    id                  typeid NOT NULL,
    payment_intent_id   text COLLATE "C" NOT NULL,
    checkout_session_id typeid,
    customer_id         typeid,
    purchase_id         typeid,
    invoice_id          typeid,
    amount              bigint NOT NULL CHECK (amount >= 0),
    currency            text NOT NULL,
    endings             jsonb NOT NULL,
    attempts            jsonb NOT NULL,
    status              text NOT NULL,
    created_at          timestamptz NOT NULL,
    refunds             jsonb NOT NULL,
    disputes            jsonb NOT NULL,
    intake_payment_id   typeid,
    version             int NOT NULL,
    PRIMARY KEY (organization_id, livemode, id),
    CONSTRAINT payments_one_per_intent UNIQUE (organization_id, livemode, payment_intent_id),
    FOREIGN KEY (organization_id, livemode, checkout_session_id) REFERENCES checkout_sessions,
    FOREIGN KEY (organization_id, livemode, customer_id) REFERENCES customers,
    FOREIGN KEY (organization_id, livemode, purchase_id) REFERENCES purchases,
    FOREIGN KEY (organization_id, livemode, invoice_id) REFERENCES invoices,
    FOREIGN KEY (organization_id, livemode, intake_payment_id) REFERENCES intake_payments
);
CREATE INDEX payments_of_invoice ON payments (organization_id, livemode, invoice_id, id)
    WHERE invoice_id IS NOT NULL;
CREATE INDEX payments_of_customer ON payments (organization_id, livemode, customer_id, id);
ALTER TABLE intake_payments ADD FOREIGN KEY (organization_id, livemode, payment_id) REFERENCES payments
    DEFERRABLE INITIALLY DEFERRED;

-- What customers may use: the terms. How much is left stands in balance_levels.
CREATE TABLE balances (
    organization_id typeid NOT NULL,
    livemode        boolean NOT NULL,
    id              typeid NOT NULL,
    customer_id     typeid NOT NULL,
    feature_id      typeid NOT NULL,
    feature         text COLLATE "C" NOT NULL,
    subscription_id typeid,
    purchase_id     typeid,
    entity_id       typeid,
    granted         bigint CHECK (granted >= 0),
    unlimited       boolean NOT NULL,
    overage         boolean NOT NULL,
    per_entity      boolean NOT NULL,
    reset           text NOT NULL,
    anchor          timestamptz NOT NULL,
    expires_at      timestamptz,
    thresholds      jsonb NOT NULL,
    created_at      timestamptz NOT NULL,
    version         int NOT NULL,
    PRIMARY KEY (organization_id, livemode, id),
    FOREIGN KEY (organization_id, livemode, customer_id) REFERENCES customers,
    FOREIGN KEY (organization_id, livemode, feature_id) REFERENCES features,
    FOREIGN KEY (organization_id, livemode, subscription_id) REFERENCES subscriptions,
    FOREIGN KEY (organization_id, livemode, purchase_id) REFERENCES purchases
);
CREATE INDEX balances_of_customer ON balances (organization_id, livemode, customer_id, feature_id, id);
CREATE INDEX features_of_credit ON features (organization_id, livemode)
    WHERE credit_rates <> '[]' AND archived_at IS NULL;

-- Written by usage alone (sql/20_usage.sql), as its entries say; there once something has touched it.
-- entity_id '' is the customer as a whole.
CREATE TABLE balance_levels (
    organization_id typeid NOT NULL,
    livemode        boolean NOT NULL,
    balance_id      typeid NOT NULL,
    entity_id       text COLLATE "C" NOT NULL,
    granted         bigint NOT NULL,
    remaining       bigint NOT NULL,
    period_end      timestamptz,
    entries         bigint NOT NULL CHECK (entries > 0),
    PRIMARY KEY (organization_id, livemode, balance_id, entity_id),
    FOREIGN KEY (organization_id, livemode, balance_id) REFERENCES balances
) WITH (fillfactor = 70);

-- The record: the entries of a level sum to what remains.
CREATE TABLE balance_entries (
    organization_id typeid NOT NULL,
    livemode        boolean NOT NULL,
    balance_id      typeid NOT NULL,
    entity_id       text COLLATE "C" NOT NULL,
    number          bigint NOT NULL CHECK (number > 0),
    kind            text NOT NULL,
    amount          bigint NOT NULL,
    remaining       bigint NOT NULL,
    usage_id        typeid NOT NULL,
    occurred_at     timestamptz NOT NULL,
    PRIMARY KEY (organization_id, livemode, balance_id, entity_id, number)
);

-- What was said to be used. `answer` is what was answered to a caller who has named it.
CREATE TABLE usages (
    organization_id typeid NOT NULL,
    livemode        boolean NOT NULL,
    id              typeid NOT NULL,
    customer_id     typeid NOT NULL,
    feature_id      typeid NOT NULL,
    entity_id       typeid,
    kind            text NOT NULL,
    amount          bigint NOT NULL,
    recorded        bigint NOT NULL,
    key             text,
    fingerprint     text,
    answer          jsonb,
    occurred_at     timestamptz NOT NULL,
    PRIMARY KEY (organization_id, livemode, id),
    FOREIGN KEY (organization_id, livemode, customer_id) REFERENCES customers
);
CREATE UNIQUE INDEX usages_key ON usages (organization_id, livemode, key) WHERE key IS NOT NULL;
CREATE INDEX usages_of_customer ON usages (organization_id, livemode, customer_id, id);

-- Where organizations want to be told of their events. The secrets have to sign, and so are here as they are.
CREATE TABLE webhook_endpoints (
    organization_id            typeid NOT NULL REFERENCES organizations,
    livemode                   boolean NOT NULL,
    id                         typeid NOT NULL,
    slot                       int NOT NULL,
    url                        text NOT NULL,
    event_types                jsonb NOT NULL,
    description                text,
    enabled                    boolean NOT NULL,
    enabled_at                 timestamptz NOT NULL,
    secret                     text NOT NULL,
    created_at                 timestamptz NOT NULL,
    previous_secret            text,
    previous_secret_expires_at timestamptz,
    disabled_at                timestamptz,
    disabled_reason            text,
    deleted_at                 timestamptz,
    version                    int NOT NULL,
    PRIMARY KEY (organization_id, livemode, id),
    CHECK (NOT enabled OR deleted_at IS NULL)
);
CREATE UNIQUE INDEX webhook_endpoints_slot ON webhook_endpoints (organization_id, livemode, slot)
    WHERE deleted_at IS NULL;
CREATE INDEX webhook_endpoints_told ON webhook_endpoints (organization_id, livemode) WHERE enabled;
