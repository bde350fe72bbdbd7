-- What may be used of a feature, and the record of what was: the same rules as domain/usage.py, where the rows are.

-- When the period that `now` is in ends: the first return of the anchor after it.
CREATE OR REPLACE FUNCTION next_reset(anchor timestamptz, reset text, now timestamptz) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    first  constant timestamp := anchor AT TIME ZONE 'UTC';
    moment constant timestamp := now AT TIME ZONE 'UTC';
    months int;
    count  int;
BEGIN
    IF reset = 'never' THEN
        RETURN NULL;
    END IF;
    IF reset IN ('minute', 'hour', 'day', 'week') THEN
        RETURN anchor + greatest(1, floor(extract(epoch FROM now - anchor)
            / CASE reset WHEN 'minute' THEN 60 WHEN 'hour' THEN 3600 WHEN 'day' THEN 86400 ELSE 604800 END) + 1)
            * (CASE reset WHEN 'day' THEN '24 hours' WHEN 'week' THEN '168 hours' ELSE '1 ' || reset END)::interval;
    END IF;
    months := CASE reset WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 ELSE 12 END;
    count := greatest(1, ((extract(year FROM moment) - extract(year FROM first)) * 12
        + extract(month FROM moment) - extract(month FROM first))::int / months);
    WHILE first + make_interval(months => count * months) <= moment LOOP
        count := count + 1;
    END LOOP;
    RETURN (first + make_interval(months => count * months)) AT TIME ZONE 'UTC';
END $$;

-- A customer's balances of which what they came with is current, or paid, and which have not ended; `entity` is the
-- id of the one that uses them, or null. The tenant has been entered. (A function that is one query becomes part of
-- the one that asks.)
CREATE OR REPLACE FUNCTION counting_balances(org text, live boolean, buyer text, entity text, now timestamptz)
RETURNS SETOF balances LANGUAGE sql STABLE AS $$
    SELECT b.* FROM balances b
    LEFT JOIN subscriptions s ON s.organization_id = org AND s.livemode = live AND s.id = b.subscription_id
    LEFT JOIN purchases p ON p.organization_id = org AND p.livemode = live AND p.id = b.purchase_id
    WHERE b.organization_id = org AND b.livemode = live AND b.customer_id = buyer
        AND (b.subscription_id IS NULL OR s.status IN ('active', 'trialing', 'past_due'))
        AND (b.purchase_id IS NULL OR p.status IN ('paid', 'partially_refunded'))
        AND (b.expires_at IS NULL OR b.expires_at > now)
        AND (b.entity_id IS NULL OR b.entity_id = entity)
        AND (NOT b.per_entity OR entity IS NOT NULL)
$$;

-- The balances that count for a feature now, those of credits that pay for it too, in the order in which they are
-- used up.
CREATE OR REPLACE FUNCTION usage_lines(
    org text, live boolean, buyer text, wanted text, entity text, now timestamptz
) RETURNS jsonb LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN (
        WITH paying AS (
            SELECT wanted AS feature_id, NULL::bigint AS cost
            UNION ALL
            SELECT f.id, (rate ->> 'cost')::bigint
            FROM features f, jsonb_array_elements(f.credit_rates) AS rate
            WHERE f.organization_id = org AND f.livemode = live AND f.archived_at IS NULL
                AND f.credit_rates <> '[]' AND rate ->> 'feature_id' = wanted
        )
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'balance', to_jsonb(b), 'feature', f.slug, 'cost', paying.cost,
            'entity_id', CASE WHEN b.per_entity THEN entity END, 'level', to_jsonb(l)
        ) ORDER BY
            paying.cost IS NOT NULL,
            b.entity_id IS NULL AND NOT b.per_entity,
            NOT b.unlimited,
            array_position(
                ARRAY['minute', 'hour', 'day', 'week', 'month', 'quarter', 'year', 'never'], b.reset),
            b.expires_at IS NULL,
            coalesce(b.expires_at, b.created_at),
            b.id), '[]')
        FROM paying
        JOIN counting_balances(org, live, buyer, entity, now) b ON b.feature_id = paying.feature_id
        JOIN features f ON f.organization_id = org AND f.livemode = live AND f.id = b.feature_id
        LEFT JOIN balance_levels l ON l.organization_id = org AND l.livemode = live AND l.balance_id = b.id
            AND l.entity_id = CASE WHEN b.per_entity THEN entity ELSE '' END);
END $$;

CREATE OR REPLACE FUNCTION current_feature(org text, live boolean, asked text) RETURNS features
LANGUAGE sql STABLE AS $$
    SELECT t FROM features t
    WHERE t.organization_id = org AND t.livemode = live AND t.slug = asked AND t.archived_at IS NULL
$$;

-- By id (ent_…) or the application's own; the tenant has been entered.
CREATE OR REPLACE FUNCTION find_entity(org text, live boolean, buyer text, reference text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT t.id FROM entities t
    WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = buyer AND t.deleted_at IS NULL
        AND CASE WHEN starts_with(reference, 'ent_') THEN t.id = reference ELSE t.external_id = reference END
$$;

-- What may be used of a feature.
CREATE OR REPLACE FUNCTION feature_context(
    org text, live boolean, reference text, asked_feature text, asked_entity text, now timestamptz
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    buyer   customers;
    wanted  features;
    entity  text;
BEGIN
    PERFORM enter(org, live);
    buyer := find_customer(org, live, reference);
    wanted := current_feature(org, live, asked_feature);
    IF asked_entity IS NOT NULL THEN
        entity := find_entity(org, live, buyer.id, asked_entity);
    END IF;
    RETURN jsonb_build_object(
        'customer', CASE WHEN buyer.id IS NOT NULL THEN to_jsonb(buyer) END,
        'feature', CASE WHEN wanted.id IS NOT NULL THEN to_jsonb(wanted) END,
        'entity_id', entity,
        'lines', CASE WHEN buyer.id IS NULL OR wanted.id IS NULL THEN '[]'
            ELSE usage_lines(org, live, buyer.id, wanted.id, entity, now) END);
END $$;

-- Records usage, each with an answer of its own; a call carries one, or several that wait at the same time.
-- asked: [{"organization_id", "livemode", "id", "customer", "feature", "entity", "amount", "when_short", "key",
--          "fingerprint", "at", "event"}]; event: what is told where a threshold is crossed, but for its data.
CREATE OR REPLACE FUNCTION track_usages(asked jsonb) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
DECLARE
    answers jsonb[] := array_fill(NULL::jsonb, ARRAY[jsonb_array_length(asked)]);
    buyers  text[] := array_fill(NULL::text, ARRAY[jsonb_array_length(asked)]);
    tenant  record;
    one     record;
BEGIN
    -- Tenants and customers in one order, which commit_work has too: calls that meet on several cannot deadlock.
    FOR tenant IN
        SELECT a ->> 'organization_id' AS org, (a -> 'livemode')::boolean AS live
        FROM jsonb_array_elements(asked) AS a GROUP BY 1, 2 ORDER BY 1 DESC, 2 DESC
    LOOP
        PERFORM enter(tenant.org, tenant.live);
        FOR one IN
            SELECT a, i FROM jsonb_array_elements(asked) WITH ORDINALITY AS given (a, i)
            WHERE a ->> 'organization_id' = tenant.org AND (a -> 'livemode')::boolean = tenant.live
        LOOP
            buyers[one.i] := (find_customer(tenant.org, tenant.live, one.a ->> 'customer')).id;
        END LOOP;
        -- One at a time for each customer: what is read below stays so until the commit.
        PERFORM FROM customers t
            WHERE t.organization_id = tenant.org AND t.livemode = tenant.live AND t.id = ANY (buyers)
            ORDER BY t.id FOR NO KEY UPDATE;
        FOR one IN
            SELECT a, i FROM jsonb_array_elements(asked) WITH ORDINALITY AS given (a, i)
            WHERE a ->> 'organization_id' = tenant.org AND (a -> 'livemode')::boolean = tenant.live
        LOOP
            answers[one.i] := track_usage(tenant.org, tenant.live, buyers[one.i], one.a);
        END LOOP;
    END LOOP;
    RETURN QUERY SELECT unnest(answers);
END $$;

-- What was answered under this key before; null if nothing was.
CREATE OR REPLACE FUNCTION answered_usage(org text, live boolean, asked_key text, asked_print text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE WHEN asked_key IS NOT NULL THEN (
        SELECT CASE WHEN t.fingerprint = asked_print
            THEN t.answer || '{"replayed": true}' ELSE '{"outcome": "idempotency_key_reused"}' END
        FROM usages t WHERE t.organization_id = org AND t.livemode = live AND t.key = asked_key) END;
END $$;

-- The tenant has been entered, and the customer, if there is one, locked.
CREATE OR REPLACE FUNCTION track_usage(org text, live boolean, buyer text, asked jsonb) RETURNS jsonb
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    wanted   features;
    entity   text;
    now      constant timestamptz := asked ->> 'at';
    lines    jsonb;
    taken    jsonb;
    recorded usages;
    answer   jsonb;
BEGIN
    answer := answered_usage(org, live, asked ->> 'key', asked ->> 'fingerprint');
    IF answer IS NOT NULL THEN
        RETURN answer;
    END IF;
    wanted := current_feature(org, live, asked ->> 'feature');
    IF buyer IS NULL THEN
        RETURN '{"outcome": "customer_not_found"}';
    ELSIF wanted.id IS NULL THEN
        RETURN '{"outcome": "feature_not_found"}';
    ELSIF wanted.type = 'boolean' THEN
        RETURN '{"outcome": "feature_is_boolean"}';
    END IF;
    IF asked ->> 'entity' IS NOT NULL THEN
        entity := find_entity(org, live, buyer, asked ->> 'entity');
        IF entity IS NULL THEN
            RETURN '{"outcome": "entity_not_found"}';
        END IF;
    END IF;
    lines := usage_lines(org, live, buyer, wanted.id, entity, now);
    taken := take_usage(
        org, live, lines, (asked ->> 'amount')::bigint, asked ->> 'when_short', asked ->> 'id', now);
    IF (taken -> 'recorded')::bigint <> (asked -> 'amount')::bigint AND asked ->> 'when_short' = 'reject'
        AND (asked -> 'amount')::bigint > 0 THEN
        RETURN jsonb_build_object('outcome', 'insufficient_balance', 'lines', taken -> 'lines');
    END IF;
    recorded := (org, live, asked ->> 'id', buyer, wanted.id, entity, 'usage', asked -> 'amount',
        taken -> 'recorded', asked ->> 'key', asked ->> 'fingerprint', NULL, now);
    answer := jsonb_build_object(
        'outcome', 'recorded', 'usage', to_jsonb(recorded) - 'answer' - 'fingerprint', 'lines', taken -> 'lines');
    IF recorded.key IS NOT NULL THEN
        recorded.answer := answer;
    END IF;
    INSERT INTO usages SELECT recorded.*;
    IF taken -> 'crossed' <> '[]' THEN
        PERFORM store_events(
            jsonb_build_array(usage_event(asked -> 'event', recorded, wanted.slug, taken -> 'crossed')));
    END IF;
    RETURN answer;
END $$;

-- What so many units take from the lines: {"recorded", "lines" as they stand afterwards, "crossed"}. Where it is
-- to be rejected, and something is missing, nothing is written.
CREATE OR REPLACE FUNCTION take_usage(
    org text, live boolean, lines jsonb, amount bigint, when_short text, usage_id text, now timestamptz
) RETURNS jsonb LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    size       constant int := jsonb_array_length(lines);
    line       jsonb;
    fresh      boolean;
    price      bigint[] := '{}';
    granted    bigint[] := '{}';
    remaining  bigint[] := '{}';
    units      bigint[] := '{}';
    unlimited  boolean[] := '{}';
    "left"     bigint := abs(amount);
    fits       bigint;
    beyond     boolean;
    before     jsonb;
BEGIN
    FOR i IN 1 .. size LOOP
        line := current_line(lines -> (i - 1), now);
        price[i] := coalesce((line ->> 'cost')::bigint, 1);
        unlimited[i] := line #> '{balance,unlimited}';
        granted[i] := line #> '{level,granted}';
        remaining[i] := line #> '{level,remaining}';
        units[i] := 0;
        lines := jsonb_set(lines, ARRAY[(i - 1)::text], line);
    END LOOP;
    IF amount >= 0 THEN
        FOR i IN 1 .. size LOOP
            fits := CASE WHEN unlimited[i] THEN "left" ELSE least("left", greatest(0, remaining[i]) / price[i]) END;
            units[i] := fits;
            "left" := "left" - fits;
        END LOOP;
        FOR i IN 1 .. size LOOP
            IF "left" > 0 AND (lines #> ARRAY[(i - 1)::text, 'balance', 'overage'])::boolean THEN
                units[i] := units[i] + "left";
                "left" := 0;
            END IF;
        END LOOP;
    ELSE
        -- Overage is given back first, then what was taken last.
        FOREACH beyond IN ARRAY ARRAY[true, false] LOOP
            FOR i IN REVERSE size .. 1 LOOP
                fits := greatest(0, CASE WHEN beyond AND NOT unlimited[i] THEN -remaining[i]
                    ELSE granted[i] - remaining[i] END);
                fits := least("left", fits / price[i] + units[i]);
                units[i] := units[i] - fits;
                "left" := "left" - fits;
            END LOOP;
        END LOOP;
    END IF;
    before := level_totals(lines);
    IF NOT ("left" > 0 AND amount >= 0 AND when_short = 'reject') THEN
        FOR i IN 1 .. size LOOP
            IF units[i] <> 0 THEN
                lines := jsonb_set(lines, ARRAY[(i - 1)::text, 'level'],
                    move_level(org, live, lines -> (i - 1), 'usage', -units[i] * price[i], usage_id, now));
            END IF;
        END LOOP;
    END IF;
    RETURN jsonb_build_object(
        'recorded', CASE WHEN amount >= 0 THEN amount - "left" ELSE amount + "left" END,
        'lines', (SELECT coalesce(jsonb_agg(told #- '{level,stored}' ORDER BY n), '[]')
            FROM jsonb_array_elements(lines) WITH ORDINALITY AS given (told, n)),
        'crossed', crossed_thresholds(before, level_totals(lines)));
END $$;

-- The line's level after one movement, and before it whatever makes the stored level that of now.
CREATE OR REPLACE FUNCTION move_level(
    org text, live boolean, line jsonb, kind text, amount bigint, usage_id text, now timestamptz
) RETURNS jsonb LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    level     jsonb := line -> 'level';
    stored    constant jsonb := level -> 'stored';
    balance   constant text := line #>> '{balance,id}';
    entity    constant text := coalesce(line ->> 'entity_id', '');
    remaining bigint := level -> 'remaining';
    granted   bigint := level -> 'granted';
    entries   bigint := level -> 'entries';
BEGIN
    IF stored = 'null' THEN
        entries := entries + 1;
        INSERT INTO balance_entries
            VALUES (org, live, balance, entity, entries, 'grant', remaining, remaining, usage_id, now);
    ELSIF stored -> 'period_end' IS DISTINCT FROM level -> 'period_end' THEN
        entries := entries + 1;
        INSERT INTO balance_entries VALUES (org, live, balance, entity, entries, 'reset',
            remaining - (stored -> 'remaining')::bigint, remaining, usage_id, now);
    END IF;
    entries := entries + 1;
    remaining := remaining + amount;
    IF kind = 'correction' THEN
        granted := granted + amount;
    END IF;
    INSERT INTO balance_entries
        VALUES (org, live, balance, entity, entries, kind, amount, remaining, usage_id, now);
    INSERT INTO balance_levels AS kept
        VALUES (org, live, balance, entity, granted, remaining, (level ->> 'period_end')::timestamptz, entries)
    ON CONFLICT (organization_id, livemode, balance_id, entity_id) DO UPDATE SET
        granted = excluded.granted, remaining = excluded.remaining, period_end = excluded.period_end,
        entries = excluded.entries;
    RETURN jsonb_build_object('granted', granted, 'remaining', remaining, 'period_end', level -> 'period_end',
        'entries', entries);
END $$;

-- {feature: {"granted", "used", "thresholds"}} of the lines that have a limit.
CREATE OR REPLACE FUNCTION level_totals(lines jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_object_agg(feature, totals), '{}') FROM (
        SELECT line ->> 'feature' AS feature, jsonb_build_object(
            'granted', sum((line #> '{level,granted}')::bigint),
            'used', sum((line #> '{level,granted}')::bigint - (line #> '{level,remaining}')::bigint),
            'thresholds', jsonb_agg(line #> '{balance,thresholds}')) AS totals
        FROM jsonb_array_elements(lines) AS line
        WHERE NOT (line #> '{balance,unlimited}')::boolean
        GROUP BY 1) AS by_feature
$$;

CREATE OR REPLACE FUNCTION crossed_thresholds(before jsonb, after jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('feature', feature, 'threshold', threshold,
        'granted', totals -> 'granted', 'used', totals -> 'used') ORDER BY feature COLLATE "C", threshold), '[]')
    FROM jsonb_each(after) AS told (feature, totals),
        LATERAL (SELECT DISTINCT t::int AS threshold
            FROM jsonb_array_elements(totals -> 'thresholds') AS each_line, jsonb_array_elements(each_line) AS t) AS lines
    WHERE (before #> ARRAY[feature, 'used'])::numeric * 100 < threshold * (totals -> 'granted')::numeric
        AND threshold * (totals -> 'granted')::numeric <= (totals -> 'used')::numeric * 100
$$;

-- asked: {"id", "balance_id", "entity", "amount", "at", "event"}.
CREATE OR REPLACE FUNCTION correct_balance(org text, live boolean, asked jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    now      constant timestamptz := asked ->> 'at';
    amount   constant bigint := asked -> 'amount';
    known    balances;
    wanted   features;
    entity   text;
    line     jsonb;
    level    jsonb;
    recorded usages;
    answer   jsonb;
BEGIN
    PERFORM enter(org, live);
    SELECT * INTO known FROM balances t
        WHERE t.organization_id = org AND t.livemode = live AND t.id = asked ->> 'balance_id';
    IF NOT FOUND THEN
        RETURN '{"outcome": "balance_not_found"}';
    END IF;
    PERFORM FROM customers t
        WHERE t.organization_id = org AND t.livemode = live AND t.id = known.customer_id FOR NO KEY UPDATE;
    answer := answered_usage(org, live, asked ->> 'key', asked ->> 'fingerprint');
    IF answer IS NOT NULL THEN
        RETURN answer;
    END IF;
    entity := find_entity(org, live, known.customer_id, asked ->> 'entity');
    IF known.per_entity <> (asked ->> 'entity' IS NOT NULL) OR (known.per_entity AND entity IS NULL) THEN
        RETURN '{"outcome": "entity_not_found"}';
    END IF;
    SELECT * INTO wanted FROM features t
        WHERE t.organization_id = org AND t.livemode = live AND t.id = known.feature_id;
    IF wanted.type = 'boolean' OR known.unlimited THEN
        RETURN '{"outcome": "balance_not_counted"}';
    END IF;
    line := current_line(balance_line(org, live, known, entity), now);
    IF amount < -greatest(0, (line #> '{level,remaining}')::bigint) THEN
        RETURN '{"outcome": "insufficient_balance"}';
    END IF;
    level := move_level(org, live, line, 'correction', amount, asked ->> 'id', now);
    recorded := (org, live, asked ->> 'id', known.customer_id, wanted.id, entity, 'correction', amount, amount,
        asked ->> 'key', asked ->> 'fingerprint', NULL, now);
    answer := jsonb_build_object('outcome', 'recorded', 'usage', to_jsonb(recorded) - 'answer' - 'fingerprint',
        'lines', jsonb_build_array(jsonb_set(line, '{level}', level)));
    IF recorded.key IS NOT NULL THEN
        recorded.answer := answer;
    END IF;
    INSERT INTO usages SELECT recorded.*;
    PERFORM store_events(jsonb_build_array(usage_event(asked -> 'event', recorded, wanted.slug, '[]')));
    RETURN answer;
END $$;

-- The event with what became of it.
CREATE OR REPLACE FUNCTION usage_event(event jsonb, recorded usages, slug text, crossed jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT event || jsonb_build_object('data', jsonb_build_object('previous', NULL, 'object', jsonb_build_object(
        'id', recorded.id, 'customer_id', recorded.customer_id, 'feature_id', recorded.feature_id, 'feature', slug,
        'entity_id', recorded.entity_id, 'kind', recorded.kind, 'amount', recorded.amount,
        'recorded', recorded.recorded, 'livemode', recorded.livemode, 'occurred_at', recorded.occurred_at,
        'crossed', crossed)))
$$;

CREATE OR REPLACE FUNCTION balance_line(org text, live boolean, known balances, entity text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('balance', to_jsonb(known), 'feature', f.slug, 'cost', NULL,
        'entity_id', CASE WHEN known.per_entity THEN entity END, 'level', (SELECT to_jsonb(l) FROM balance_levels l
            WHERE l.organization_id = org AND l.livemode = live AND l.balance_id = known.id
                AND l.entity_id = CASE WHEN known.per_entity THEN entity ELSE '' END))
    FROM features f WHERE f.organization_id = org AND f.livemode = live AND f.id = known.feature_id
$$;

-- All balances of a customer that count now.
CREATE OR REPLACE FUNCTION balance_context(
    org text, live boolean, reference text, asked_entity text, now timestamptz
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    buyer  customers;
    entity text;
BEGIN
    PERFORM enter(org, live);
    buyer := find_customer(org, live, reference);
    IF asked_entity IS NOT NULL THEN
        entity := find_entity(org, live, buyer.id, asked_entity);
    END IF;
    RETURN jsonb_build_object(
        'customer', CASE WHEN buyer.id IS NOT NULL THEN to_jsonb(buyer) END,
        'entity_id', entity,
        'lines', (
            SELECT coalesce(jsonb_agg(balance_line(org, live, b, entity) ORDER BY b.id), '[]')
            FROM counting_balances(org, live, buyer.id, entity, now) b));
END $$;

-- Newest first; null where there is no such customer or, with one asked for, no such feature.
CREATE OR REPLACE FUNCTION usage_page(
    org text, live boolean, reference text, asked_feature text, before text, page_size int
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    buyer  text;
    wanted text;
BEGIN
    PERFORM enter(org, live);
    buyer := (find_customer(org, live, reference)).id;
    wanted := (current_feature(org, live, asked_feature)).id;
    IF buyer IS NULL OR (asked_feature IS NOT NULL AND wanted IS NULL) THEN
        RETURN jsonb_build_object('missing', CASE WHEN buyer IS NULL THEN 'customer' ELSE 'feature' END);
    END IF;
    RETURN jsonb_build_object('found', (
        SELECT coalesce(jsonb_agg(to_jsonb(page) - 'answer' - 'fingerprint' ORDER BY page.id DESC), '[]') FROM (
            SELECT * FROM usages t
            WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = buyer
                AND (wanted IS NULL OR t.feature_id = wanted) AND (before IS NULL OR t.id < before)
            ORDER BY t.id DESC LIMIT page_size) AS page));
END $$;

CREATE OR REPLACE FUNCTION entry_page(
    org text, live boolean, asked_balance text, asked_entity text, before bigint, page_size int
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    known  balances;
    entity text;
BEGIN
    PERFORM enter(org, live);
    SELECT * INTO known FROM balances t
        WHERE t.organization_id = org AND t.livemode = live AND t.id = asked_balance;
    entity := find_entity(org, live, known.customer_id, asked_entity);
    IF known.id IS NULL OR known.per_entity <> (asked_entity IS NOT NULL)
        OR (known.per_entity AND entity IS NULL) THEN
        RETURN NULL;
    END IF;
    RETURN (
        SELECT coalesce(jsonb_agg(
            to_jsonb(page) || jsonb_build_object('entity_id', nullif(page.entity_id, '')) ORDER BY page.number DESC), '[]')
        FROM (
            SELECT * FROM balance_entries t
            WHERE t.organization_id = org AND t.livemode = live AND t.balance_id = known.id
                AND t.entity_id = coalesce(entity, '') AND (before IS NULL OR t.number < before)
            ORDER BY t.number DESC LIMIT page_size) AS page);
END $$;

-- The line with its level as of now, and in it the one that is stored.
CREATE OR REPLACE FUNCTION current_line(line jsonb, now timestamptz) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    stored  constant jsonb := line -> 'level';
    granted bigint := stored -> 'granted';
    "left"  bigint := stored -> 'remaining';
    ends    timestamptz := stored ->> 'period_end';
BEGIN
    IF stored = 'null' OR ends <= now THEN
        granted := coalesce((line #>> '{balance,granted}')::bigint, 0);
        "left" := granted;
        ends := next_reset((line #>> '{balance,anchor}')::timestamptz, line #>> '{balance,reset}', now);
    END IF;
    RETURN jsonb_set(line, '{level}', jsonb_build_object('granted', granted, 'remaining', "left", 'period_end', ends,
        'entries', coalesce(stored -> 'entries', '0'), 'stored', stored));
END $$;
