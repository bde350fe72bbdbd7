-- What is stored beside the books in the same commit: events, effects to be performed, and causes.

CREATE TABLE events (
    organization_id typeid NOT NULL,
    livemode        boolean NOT NULL,
    id              typeid NOT NULL,
    type            text NOT NULL,
    occurred_at     timestamptz NOT NULL,
    subject_type    text NOT NULL,
    subject_id      typeid NOT NULL,
    data            jsonb NOT NULL,
    actor           jsonb NOT NULL,
    request_id      text,
    correlation_id  text NOT NULL,
    causation_id    text,
    hash            text NOT NULL,
    -- Where it stands in its own commit, and which transaction that was: enough to give every event its
    -- sequence later, in an order that no commit still under way can disturb.
    position        int NOT NULL,
    transaction_id  xid8 NOT NULL DEFAULT pg_current_xact_id(),
    sequence        bigint,
    PRIMARY KEY (organization_id, livemode, id),
    CONSTRAINT events_sequence UNIQUE (organization_id, livemode, sequence)
);
CREATE INDEX events_of_subject ON events (organization_id, livemode, subject_id, sequence);
CREATE INDEX events_unsequenced ON events (transaction_id, position) WHERE sequence IS NULL;

-- The last sequence given, per organization and mode.
CREATE TABLE event_counters (
    organization_id typeid NOT NULL,
    livemode        boolean NOT NULL,
    last            bigint NOT NULL,
    PRIMARY KEY (organization_id, livemode)
);

-- due_at is also the lease: a task that somebody is performing is due again when the lease ends.
CREATE TABLE tasks (
    organization_id typeid NOT NULL,
    livemode        boolean NOT NULL,
    id              typeid NOT NULL,
    effect          jsonb NOT NULL,
    created_at      timestamptz NOT NULL,
    due_at          timestamptz NOT NULL,
    correlation_id  text NOT NULL,
    causation_id    typeid NOT NULL,
    attempts        int NOT NULL,
    last_error      text,
    parked_at       timestamptz,
    PRIMARY KEY (organization_id, livemode, id)
) WITH (autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX tasks_due ON tasks (due_at, id) WHERE parked_at IS NULL;
CREATE INDEX tasks_parked ON tasks (parked_at) WHERE parked_at IS NOT NULL;

-- What has been answered to named requests, byte for byte (application/idempotency.py). Forgotten after a day.
CREATE TABLE kept_replies (
    organization_id typeid NOT NULL,
    livemode        boolean NOT NULL,
    route           text COLLATE "C" NOT NULL,
    key             text COLLATE "C" NOT NULL,
    fingerprint     text NOT NULL,
    subject_id      typeid,
    reply           jsonb,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, livemode, route, key)
) WITH (autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX kept_replies_age ON kept_replies (created_at);

-- What Stripe told us, by Stripe's id. organization_id is what the event's object says, empty if it says none.
-- The fact is kept while it could not be handled, to be tried again.
CREATE TABLE inbound_events (
    organization_id typeid NOT NULL,
    livemode        boolean NOT NULL,
    id              text COLLATE "C" NOT NULL,
    type            text NOT NULL,
    received_at     timestamptz NOT NULL,
    handled_at      timestamptz,
    refusal         text,
    reason          text,
    fact            jsonb,
    attempts        int NOT NULL,
    -- Also the lease: what somebody is trying is due again when nothing has come of it. Null once it is given up.
    next_try_at     timestamptz,
    PRIMARY KEY (organization_id, livemode, id),
    CHECK ((handled_at IS NULL) = (refusal IS NOT NULL)),
    CHECK (handled_at IS NULL OR next_try_at IS NULL)
);
CREATE INDEX inbound_events_unhandled ON inbound_events (received_at) WHERE handled_at IS NULL;
CREATE INDEX inbound_events_kept ON inbound_events (organization_id, livemode, received_at, id)
    WHERE handled_at IS NULL;
CREATE INDEX inbound_events_to_try ON inbound_events (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX inbound_events_given_up ON inbound_events (received_at)
    WHERE handled_at IS NULL AND next_try_at IS NULL;

-- An event for an endpoint: made when the event gets its number. next_try_at is also the lease; null once it has
-- arrived or was given up. `tries` are those since it was last asked for. Its id is made of both (delivery_id), so that
-- there is one, and no index more is needed to find it: what changes as often as this pays for each. The other indexes do
-- not begin as the key does, so that PostgreSQL never takes one of them for it, whatever it believes to be in here.
CREATE TABLE deliveries (
    organization_id typeid NOT NULL,
    livemode        boolean NOT NULL,
    id              typeid NOT NULL,
    endpoint_id     typeid NOT NULL,
    event_id        typeid NOT NULL,
    event_type      text NOT NULL,
    sequence        bigint NOT NULL,
    status          text NOT NULL,
    attempts        int NOT NULL,
    tries           int NOT NULL,
    next_try_at     timestamptz,
    created_at      timestamptz NOT NULL,
    settled_at      timestamptz,
    PRIMARY KEY (organization_id, livemode, id),
    FOREIGN KEY (organization_id, livemode, endpoint_id) REFERENCES webhook_endpoints,
    CHECK ((status = 'pending') = (next_try_at IS NOT NULL)),
    CHECK ((status = 'pending') = (settled_at IS NULL))
) WITH (autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX deliveries_of_endpoint ON deliveries (endpoint_id, sequence);
CREATE INDEX deliveries_due ON deliveries (endpoint_id, next_try_at, sequence) WHERE status = 'pending';
CREATE INDEX deliveries_failed ON deliveries (endpoint_id, sequence) WHERE status = 'failed';
CREATE INDEX deliveries_age ON deliveries (settled_at) WHERE settled_at IS NOT NULL;

CREATE TABLE delivery_attempts (
    organization_id typeid NOT NULL,
    livemode        boolean NOT NULL,
    delivery_id     typeid NOT NULL,
    number          int NOT NULL,
    at              timestamptz NOT NULL,
    status          int,
    error           text,
    duration_ms     int NOT NULL,
    reply           text,
    PRIMARY KEY (organization_id, livemode, delivery_id, number)
);

-- Endpoints at which nothing has arrived since then; a row goes when something does.
CREATE TABLE endpoint_failures (
    organization_id typeid NOT NULL,
    livemode        boolean NOT NULL,
    endpoint_id     typeid NOT NULL,
    failing_since   timestamptz NOT NULL,
    PRIMARY KEY (organization_id, livemode, endpoint_id)
) WITH (autovacuum_vacuum_scale_factor = 0.02);
-- What the workers do every so often, for all organizations: when it is due next. Whoever sets it has taken the round.
CREATE TABLE rounds (
    name   text COLLATE "C" PRIMARY KEY,
    due_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON rounds TO counterfoil_worker;
