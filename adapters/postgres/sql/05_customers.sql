-- Customers with their current subscriptions, as JSON of the domain's states.

CREATE OR REPLACE FUNCTION customer_record(customer customers) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('customer', to_jsonb(customer), 'subscriptions', (
        SELECT coalesce(jsonb_agg(jsonb_build_object('subscription', to_jsonb(s), 'items', (
            SELECT coalesce(jsonb_agg(to_jsonb(i) ORDER BY i.id), '[]') FROM subscription_items i
            WHERE i.organization_id = s.organization_id AND i.livemode = s.livemode AND i.subscription_id = s.id
        )) ORDER BY s.id), '[]')
        FROM subscriptions s
        WHERE s.organization_id = customer.organization_id AND s.livemode = customer.livemode
            AND s.customer_id = customer.id AND s.status <> 'canceled'))
$$;

-- By id (cus_…) or external id, unless they were deleted; the tenant has been entered.
CREATE OR REPLACE FUNCTION find_customer(org text, live boolean, reference text) RETURNS customers
LANGUAGE plpgsql STABLE AS $$
DECLARE
    found_one customers;
BEGIN
    IF starts_with(reference, 'cus_') THEN
        SELECT * INTO found_one FROM customers t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = reference AND t.deleted_at IS NULL;
    ELSE
        SELECT * INTO found_one FROM customers t
            WHERE t.organization_id = org AND t.livemode = live AND t.external_id = reference;
    END IF;
    RETURN found_one;
END $$;

-- Without their items, in the order of ids; the tenant has been entered.
CREATE OR REPLACE FUNCTION current_subscriptions(org text, live boolean, buyer_id text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.id), '[]') FROM subscriptions t
    WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = buyer_id AND t.status <> 'canceled'
$$;

CREATE OR REPLACE FUNCTION customer(org text, live boolean, reference text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    known customers;
BEGIN
    PERFORM enter(org, live);
    known := find_customer(org, live, reference);
    RETURN CASE WHEN known.id IS NULL THEN NULL ELSE customer_record(known) END;
END $$;

-- As `fingerprint_key` of the domain makes it.
CREATE OR REPLACE FUNCTION fingerprint_key(fingerprint text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT encode(sha256(convert_to(fingerprint, 'UTF8')), 'hex')
$$;

-- Whether the customer, or somebody with their fingerprint, had a trial of this product; the tenant has been entered.
-- By the owner: a buyer in the portal does not see the others, and is told no more than that.
CREATE OR REPLACE FUNCTION trial_used(org text, live boolean, buyer_id text, sold_id text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = counterfoil, pg_temp AS $$
DECLARE
    known_by text := (SELECT fingerprint_key(t.fingerprint) FROM customers t
        WHERE t.organization_id = org AND t.livemode = live AND t.id = buyer_id);
BEGIN
    RETURN EXISTS (SELECT FROM subscriptions t
            WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = buyer_id
                AND t.product_id = sold_id AND t.trial_ends_at IS NOT NULL)
        OR EXISTS (SELECT FROM subscriptions t
            WHERE t.organization_id = org AND t.livemode = live AND t.trial_fingerprint = known_by
                AND t.product_id = sold_id);
END $$;

-- What a draft makes of a customer is decided on. The customer by external id, else by e-mail among those who
-- have none; but who is linked to one account is not given the external id of another one's.
CREATE OR REPLACE FUNCTION creation_context(
    org text, live boolean, asked_id text, asked_email_key text, model_id text, asked_user text,
    asked_stripe_customer text, asked_fingerprint text
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    known   customers;
    terms   jsonb;
    context jsonb;
BEGIN
    PERFORM enter(org, live);
    IF asked_id IS NOT NULL THEN
        known := find_customer(org, live, asked_id);
    END IF;
    IF known.id IS NULL AND asked_email_key IS NOT NULL THEN
        SELECT * INTO known FROM customers t
            WHERE t.organization_id = org AND t.livemode = live AND t.external_id IS NULL
                AND t.email_key = asked_email_key
                AND (asked_id IS NULL OR asked_user IS NULL OR coalesce(t.user_id, asked_user) = asked_user);
    END IF;
    terms := customer_terms(org, live, model_id);
    IF asked_fingerprint IS NOT NULL THEN
        terms := terms || jsonb_build_object('trials_used', (
            SELECT coalesce(jsonb_agg(t.product_id), '[]') FROM subscriptions t
            WHERE t.organization_id = org AND t.livemode = live AND t.trial_fingerprint = asked_fingerprint));
    END IF;
    context := jsonb_build_object(
        'existing', CASE WHEN known.id IS NULL THEN NULL ELSE customer_record(known) END, 'terms', terms);
    IF asked_user IS NOT NULL THEN
        context := context || jsonb_build_object('user_is_known', EXISTS (SELECT FROM users t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = asked_user));
    END IF;
    IF asked_stripe_customer IS NOT NULL THEN
        context := context || jsonb_build_object('stripe_customer_is_taken', EXISTS (SELECT FROM customers t
            WHERE t.organization_id = org AND t.livemode = live AND t.stripe_customer_id = asked_stripe_customer
                AND t.id IS DISTINCT FROM known.id));
    END IF;
    RETURN context;
END $$;
