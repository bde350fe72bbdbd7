-- What is listed: pages of payments, purchases, invoices and subscriptions, newest first.

-- With its items, as JSON of the domain's states.
CREATE OR REPLACE FUNCTION subscription_record(subscription subscriptions) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('subscription', to_jsonb(subscription), 'items', (
        SELECT coalesce(jsonb_agg(to_jsonb(i) ORDER BY i.id), '[]') FROM subscription_items i
        WHERE i.organization_id = subscription.organization_id AND i.livemode = subscription.livemode
            AND i.subscription_id = subscription.id))
$$;

CREATE OR REPLACE FUNCTION subscription(org text, live boolean, subscription_id text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (SELECT subscription_record(t) FROM subscriptions t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = subscription_id);
END $$;

CREATE OR REPLACE FUNCTION purchase(org text, live boolean, purchase_id text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (SELECT to_jsonb(t) FROM purchases t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = purchase_id);
END $$;

-- Of a table whose rows are customers': those made before the one named, of one customer (by id or external id),
-- with one status; each where it is given. Null when there is no such customer.
CREATE OR REPLACE FUNCTION page_of(
    listed text, org text, live boolean, size int, before text, customer text, status text
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    buyer  text;
    record text := CASE listed WHEN 'subscriptions' THEN 'subscription_record' ELSE 'to_jsonb' END;
    page   jsonb;
BEGIN
    PERFORM enter(org, live);
    IF customer IS NOT NULL THEN
        buyer := (find_customer(org, live, customer)).id;
        IF buyer IS NULL THEN
            RETURN NULL;
        END IF;
    END IF;
    -- Put together for what is asked, so that each question is read from the index made for it, and nothing
    -- before its page.
    EXECUTE format(
        'SELECT coalesce(jsonb_agg(%2$I(page) ORDER BY page.id DESC), ''[]'') FROM (
            SELECT * FROM %1$I t WHERE t.organization_id = $1 AND t.livemode = $2 AND t.id < $3 %3$s %4$s
            ORDER BY t.id DESC LIMIT $6) AS page',
        listed, record,
        CASE WHEN buyer IS NOT NULL THEN 'AND t.customer_id = $4' END,
        CASE WHEN status IS NOT NULL THEN 'AND t.status = $5' END)
        INTO page USING org, live, coalesce(before, '~'), buyer, status, size;
    RETURN page;
END $$;
