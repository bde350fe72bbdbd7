-- What must be found before the tenant is known, and nothing else: a closed list. Nobody is granted anything
-- on these tables; they are written by triggers and read through the functions named resolve_….

CREATE TABLE route_organizations (
    slug            text COLLATE "C" PRIMARY KEY,
    organization_id typeid NOT NULL
);
CREATE TABLE route_api_keys (
    secret_hash     text COLLATE "C" PRIMARY KEY,
    organization_id typeid NOT NULL,
    livemode        boolean NOT NULL,
    api_key_id      typeid NOT NULL
);
CREATE TABLE route_checkout_sessions (
    checkout_session_id typeid PRIMARY KEY,
    organization_id     typeid NOT NULL,
    livemode            boolean NOT NULL
);
CREATE TABLE route_invoices (
    invoice_id      typeid PRIMARY KEY,
    organization_id typeid NOT NULL,
    livemode        boolean NOT NULL
);
CREATE TABLE route_intake_payments (
    intake_payment_id typeid PRIMARY KEY,
    organization_id   typeid NOT NULL,
    livemode          boolean NOT NULL
);

CREATE FUNCTION route_organization() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
BEGIN
    INSERT INTO route_organizations VALUES (NEW.slug, NEW.organization_id);
    RETURN NULL;
END $$;
CREATE TRIGGER route AFTER INSERT ON organizations FOR EACH ROW EXECUTE FUNCTION route_organization();

CREATE FUNCTION route_api_key() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
BEGIN
    INSERT INTO route_api_keys VALUES (NEW.secret_hash, NEW.organization_id, NEW.livemode, NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER route AFTER INSERT ON api_keys FOR EACH ROW EXECUTE FUNCTION route_api_key();

CREATE FUNCTION route_checkout_session() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
BEGIN
    INSERT INTO route_checkout_sessions VALUES (NEW.id, NEW.organization_id, NEW.livemode);
    RETURN NULL;
END $$;
CREATE TRIGGER route AFTER INSERT ON checkout_sessions FOR EACH ROW EXECUTE FUNCTION route_checkout_session();

-- Only what has its page is looked for.
CREATE FUNCTION route_invoice() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
BEGIN
    INSERT INTO route_invoices VALUES (NEW.id, NEW.organization_id, NEW.livemode);
    RETURN NULL;
END $$;
CREATE TRIGGER route AFTER UPDATE ON invoices FOR EACH ROW
    WHEN (OLD.page_token IS NULL AND NEW.page_token IS NOT NULL) EXECUTE FUNCTION route_invoice();

CREATE FUNCTION route_intake_payment() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
BEGIN
    INSERT INTO route_intake_payments VALUES (NEW.id, NEW.organization_id, NEW.livemode);
    RETURN NULL;
END $$;
CREATE TRIGGER route AFTER INSERT ON intake_payments FOR EACH ROW EXECUTE FUNCTION route_intake_payment();
