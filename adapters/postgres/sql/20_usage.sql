-- What may be used of a feature, and the record of what was: the same rules as domain/usage.py, where the rows are.

-- When the period that `now` is in ends: the first of the anchor's returns after it, which reach back too.
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
        RETURN anchor + (floor(extract(epoch FROM now - anchor)
            / CASE reset WHEN 'minute' THEN 60 WHEN 'hour' THEN 3600 WHEN 'day' THEN 86400 ELSE 604800 END) + 1)
            * (CASE reset WHEN 'day' THEN '24 hours' WHEN 'week' THEN '168 hours' ELSE '1 ' || reset END)::interval;
    END IF;
    months := CASE reset WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 ELSE 12 END;
    count := floor(((extract(year FROM moment) - extract(year FROM first)) * 12
        + extract(month FROM moment) - extract(month FROM first)) / months)::int - 1;
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
    WHERE b.organization_id = org AND b.livemode = live AND b.customer_id = buyer
        AND (b.subscription_id IS NULL OR (SELECT s.status FROM subscriptions s
            WHERE s.organization_id = org AND s.livemode = live AND s.id = b.subscription_id)
                IN ('active', 'trialing', 'past_due'))
        AND (b.purchase_id IS NULL OR (SELECT p.status FROM purchases p
            WHERE p.organization_id = org AND p.livemode = live AND p.id = b.purchase_id)
                IN ('paid', 'partially_refunded'))
        AND (b.expires_at IS NULL OR b.expires_at > now)
        AND (b.entity_id IS NULL OR b.entity_id = entity)
        AND (NOT b.per_entity OR entity IS NOT NULL)
$$;

-- The balances that count for a feature now, those of credits that pay for it too, in the order in which they are
-- used up. A plan may be made while the tables are empty yet: by key all the same, one balance at a time.
CREATE OR REPLACE FUNCTION usage_lines(
    org text, live boolean, buyer text, wanted text, entity text, now timestamptz
) RETURNS jsonb LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
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
            'balance', to_jsonb(b), 'cost', paying.cost,
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
        LEFT JOIN LATERAL (
            SELECT * FROM balance_levels t WHERE t.organization_id = org AND t.livemode = live
                AND t.balance_id = b.id AND t.entity_id = CASE WHEN b.per_entity THEN entity ELSE '' END
            LIMIT 1) AS l ON true);
END $$;

CREATE OR REPLACE FUNCTION current_feature(org text, live boolean, asked text) RETURNS features
LANGUAGE sql STABLE AS $$
    SELECT t FROM features t
    WHERE t.organization_id = org AND t.livemode = live AND t.slug = asked AND t.archived_at IS NULL
$$;

-- The id of the customer's entity, by id or external id, unless it is deleted.
CREATE OR REPLACE FUNCTION current_entity(org text, live boolean, buyer text, reference text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    known entities;
BEGIN
    IF reference IS NOT NULL THEN
        known := find_entity(org, live, buyer, reference);
    END IF;
    RETURN CASE WHEN known.deleted_at IS NULL THEN known.id END;
END $$;

-- How many of the customer's entities count against the feature: each holds one unit of it.
CREATE OR REPLACE FUNCTION held_units(org text, live boolean, buyer text, wanted text) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM entities t
    WHERE t.organization_id = org AND t.livemode = live AND t.customer_id = buyer AND t.feature_id = wanted
        AND t.deleted_at IS NULL
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
    entity := current_entity(org, live, buyer.id, asked_entity);
    RETURN jsonb_build_object(
        'customer', CASE WHEN buyer.id IS NOT NULL THEN to_jsonb(buyer) END,
        'feature', CASE WHEN wanted.id IS NOT NULL THEN to_jsonb(wanted) END,
        'entity_id', entity,
        'held', held_units(org, live, buyer.id, wanted.id),
        'lines', CASE WHEN buyer.id IS NULL OR wanted.id IS NULL THEN '[]'
            ELSE usage_lines(org, live, buyer.id, wanted.id, entity, now) END);
END $$;

-- Records usage, each with an answer of its own; a call carries one, or several that wait at the same time.
-- asked: [{"organization_id", "livemode", "id", "customer", "feature", "entity", "amount", "when_short", "key",
--          "fingerprint", "at", "event"}]; event: what is told where a threshold is crossed, but for its data.
CREATE OR REPLACE FUNCTION track_usages(asked jsonb) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
DECLARE
    answers jsonb[] := array_fill(NULL::jsonb, ARRAY[jsonb_array_length(asked)]);
    tenant  record;
    told    jsonb[];
BEGIN
    -- Tenants in the order of commit_work, then customers in the order of ids: calls that meet on several cannot
    -- deadlock.
    FOR tenant IN
        SELECT one ->> 'organization_id' AS org, (one -> 'livemode')::boolean AS live,
            array_agg(n::int ORDER BY n) AS numbers, array_agg(one ORDER BY n) AS asked
        FROM jsonb_array_elements(asked) WITH ORDINALITY AS given (one, n) GROUP BY 1, 2 ORDER BY 1 DESC, 2 DESC
    LOOP
        PERFORM enter(tenant.org, tenant.live);
        told := track_together(tenant.org, tenant.live, tenant.asked);
        FOR n IN 1 .. cardinality(told) LOOP
            answers[tenant.numbers[n]] := told[n];
        END LOOP;
    END LOOP;
    RETURN QUERY SELECT unnest(answers);
END $$;

-- Of one tenant, which has been entered. What is read once serves all that ask the same, and what they leave behind
-- is written at the end.
CREATE OR REPLACE FUNCTION track_together(org text, live boolean, asked jsonb[]) RETURNS jsonb[]
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    answers  jsonb[] := '{}';
    buyers   text[] := '{}';
    living   text[];
    since    timestamptz := (SELECT min((one ->> 'at')::timestamptz) FROM unnest(asked) AS one);
    places   text[] := '{}';
    contexts jsonb[] := '{}';  -- at each place
    levels   jsonb := '{}';
    keys     text[] := '{}';
    recorded jsonb[] := '{}';  -- under each key
    entries  jsonb[] := '{}';
    events   jsonb[] := '{}';
    one      jsonb;
    place    text;
    known    int;
    context  jsonb;
    taken    jsonb;
    usage    jsonb;
BEGIN
    FOR n IN 1 .. cardinality(asked) LOOP
        buyers[n] := (find_customer(org, live, asked[n] ->> 'customer')).id;
    END LOOP;
    -- One call at a time for each customer: what is read below stays so until the commit. Who was deleted while it
    -- waited is not there. Each by their key, which no estimate of how many there are can talk the planner out of.
    living := ARRAY(SELECT locked.id
        FROM (SELECT DISTINCT buyer COLLATE "C" AS id FROM unnest(buyers) AS buyer ORDER BY 1) AS b,
            LATERAL (SELECT t.id FROM customers t
                WHERE t.organization_id = org AND t.livemode = live AND t.id = b.id AND t.deleted_at IS NULL
                FOR NO KEY UPDATE) AS locked);
    FOR n IN 1 .. cardinality(asked) LOOP
        one := asked[n];
        answers[n] := answered_usage(org, live, one ->> 'key', one ->> 'fingerprint',
            recorded[array_position(keys, one ->> 'key')]);
        CONTINUE WHEN answers[n] IS NOT NULL;
        place := concat(buyers[n], '/', one ->> 'feature', '/', one ->> 'entity');
        known := array_position(places, place);
        IF known IS NULL THEN
            context := usage_context(org, live, CASE WHEN buyers[n] = ANY (living) THEN buyers[n] END,
                one ->> 'feature', one ->> 'entity', since);
            places := array_append(places, place);
            contexts := array_append(contexts, context);
        ELSE
            context := contexts[known];
        END IF;
        IF context ? 'outcome' THEN
            answers[n] := context;
            CONTINUE;
        END IF;
        taken := take_usage(context -> 'lines', (context -> 'held')::bigint, levels, (one -> 'amount')::bigint, one ->> 'when_short',
            one ->> 'id', (one ->> 'at')::timestamptz);
        IF taken ? 'outcome' THEN
            answers[n] := taken || jsonb_build_object('held', context -> 'held');
            CONTINUE;
        END IF;
        usage := jsonb_build_object('organization_id', org, 'livemode', live, 'id', one -> 'id',
            'customer_id', buyers[n], 'feature_id', context #> '{feature,id}', 'entity_id', context -> 'entity_id',
            'kind', 'usage', 'amount', one -> 'amount', 'recorded', taken -> 'recorded', 'key', one -> 'key',
            'occurred_at', one -> 'at');
        answers[n] := jsonb_build_object(
            'outcome', 'recorded', 'usage', usage, 'lines', taken -> 'lines', 'held', context -> 'held');
        IF one ->> 'key' IS NOT NULL THEN
            usage := usage || jsonb_build_object('fingerprint', one -> 'fingerprint', 'answer', answers[n]);
        END IF;
        keys := array_append(keys, one ->> 'key');
        recorded := array_append(recorded, usage);
        levels := levels || (taken -> 'levels');
        entries := array_append(entries, taken -> 'entries');
        IF taken -> 'crossed' <> '[]' THEN
            events := events
                || usage_event(one -> 'event', usage, context #>> '{feature,slug}', taken -> 'crossed');
        END IF;
    END LOOP;
    PERFORM store_usage(org, live, recorded, entries, levels, events);
    RETURN answers;
END $$;

-- What is asked for, and the balances that count for it at `since` or later; or why there is none.
CREATE OR REPLACE FUNCTION usage_context(
    org text, live boolean, buyer text, asked_feature text, asked_entity text, since timestamptz
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    wanted features := current_feature(org, live, asked_feature);
    entity text;
BEGIN
    IF buyer IS NULL THEN
        RETURN '{"outcome": "customer_not_found"}';
    ELSIF wanted.id IS NULL THEN
        RETURN '{"outcome": "feature_not_found"}';
    ELSIF wanted.type = 'boolean' THEN
        RETURN '{"outcome": "feature_is_boolean"}';
    END IF;
    IF asked_entity IS NOT NULL THEN
        entity := current_entity(org, live, buyer, asked_entity);
        IF entity IS NULL THEN
            RETURN '{"outcome": "entity_not_found"}';
        END IF;
    END IF;
    RETURN jsonb_build_object('feature', jsonb_build_object('id', wanted.id, 'slug', wanted.slug),
        'entity_id', entity, 'held', held_units(org, live, buyer, wanted.id),
        'lines', usage_lines(org, live, buyer, wanted.id, entity, since));
END $$;

-- What was answered under this key before: to the one that is stored, or to the one `named` so in the same call;
-- null if nothing was.
CREATE OR REPLACE FUNCTION answered_usage(
    org text, live boolean, asked_key text, asked_print text, named jsonb
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    known jsonb;
BEGIN
    IF asked_key IS NULL THEN
        RETURN NULL;
    END IF;
    known := coalesce(named, (SELECT to_jsonb(t) FROM usages t
        WHERE t.organization_id = org AND t.livemode = live AND t.key = asked_key));
    RETURN CASE WHEN known ->> 'fingerprint' = asked_print THEN known -> 'answer' || '{"replayed": true}'
        WHEN known IS NOT NULL THEN '{"outcome": "idempotency_key_reused"}' END;
END $$;

-- What so many units take from the lines, whose levels are as stored or, after others of this call, as in `levels`:
-- {"recorded", "lines" as they stand afterwards, "entries", "levels" that have changed, "crossed"}, or that there are
-- not enough, where it is to be rejected then. As `take` in domain/usage.py.
CREATE OR REPLACE FUNCTION take_usage(
    lines jsonb, held bigint, levels jsonb, amount bigint, when_short text, usage_id text, now timestamptz
) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    known     jsonb[] := '{}';
    before    jsonb;
    size      int := 0;
    price     bigint[] := '{}';
    granted   bigint[] := '{}';
    remaining bigint[] := '{}';
    unlimited boolean[] := '{}';
    units     bigint[] := '{}';
    "left"    bigint := abs(amount);
    fits      bigint;
    moved     jsonb;
    entries   jsonb := '[]';
    changed   jsonb := '{}';
    near      boolean := false;
BEGIN
    FOR i IN 0 .. jsonb_array_length(lines) - 1 LOOP
        before := lines -> i;
        CONTINUE WHEN (before #>> '{balance,expires_at}')::timestamptz <= now;
        size := size + 1;
        known[size] := current_line(before, levels, now);
        price[size] := coalesce((before ->> 'cost')::bigint, 1);
        unlimited[size] := before #> '{balance,unlimited}';
        granted[size] := known[size] #> '{level,granted}';
        remaining[size] := known[size] #> '{level,remaining}';
        units[size] := 0;
    END LOOP;
    IF amount >= 0 THEN
        FOR i IN 1 .. size LOOP
            fits := greatest(0, remaining[i]) / price[i];
            IF known[i] -> 'cost' = 'null' THEN -- what entities hold is kept back for them
                fits := fits - least(held, fits);
                held := held - least(held, greatest(0, remaining[i]) / price[i]);
            END IF;
            fits := CASE WHEN unlimited[i] THEN "left" ELSE least("left", fits) END;
            units[i] := fits;
            "left" := "left" - fits;
        END LOOP;
        FOR i IN 1 .. size LOOP
            IF "left" > 0 AND (known[i] #> '{balance,overage}')::boolean THEN
                units[i] := units[i] + "left";
                "left" := 0;
            END IF;
        END LOOP;
        IF "left" > 0 AND when_short = 'reject' THEN
            RETURN jsonb_build_object('outcome', 'insufficient_balance', 'lines', told_lines(known));
        END IF;
    ELSE
        -- Overage is given back first, then what was taken last.
        FOR beyond IN 0 .. 1 LOOP
            FOR i IN REVERSE size .. 1 LOOP
                fits := greatest(0, CASE WHEN beyond = 0 AND NOT unlimited[i] THEN -remaining[i]
                    ELSE granted[i] - remaining[i] END);
                fits := least("left", fits / price[i] + units[i]);
                units[i] := units[i] - fits;
                "left" := "left" - fits;
            END LOOP;
        END LOOP;
    END IF;
    before := to_jsonb(known);
    FOR i IN 1 .. size LOOP
        IF units[i] <> 0 THEN
            moved := move_level(known[i], 'usage', -units[i] * price[i], usage_id, now);
            known[i] := moved -> 'line';
            entries := entries || (moved -> 'entries');
            changed := changed || jsonb_build_object(level_key(known[i]), known[i] -> 'level');
            -- The whole is no more used up than the line that is so most.
            near := near OR jsonb_path_exists(known[i], '$.balance.thresholds ? (@ * $.level.granted
                <= ($.level.granted - $.level.remaining) * 100)');
        END IF;
    END LOOP;
    RETURN jsonb_build_object(
        'recorded', CASE WHEN amount >= 0 THEN amount - "left" ELSE amount + "left" END,
        'lines', told_lines(known), 'entries', entries, 'levels', changed,
        'crossed', CASE WHEN near OR size > 1
            THEN crossed_thresholds(level_totals(before), level_totals(to_jsonb(known))) ELSE '[]' END);
END $$;

-- Of which level a line speaks.
CREATE OR REPLACE FUNCTION level_key(line jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN (line #>> '{balance,id}') || '/' || coalesce(line ->> 'entity_id', '');
END $$;

CREATE OR REPLACE FUNCTION told_lines(lines jsonb[]) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    told jsonb := '[]';
BEGIN
    FOR i IN 1 .. cardinality(lines) LOOP
        told := told || (lines[i] - 'stored');
    END LOOP;
    RETURN told;
END $$;

-- The line with its level as of now, and beside it the one that is `stored`.
CREATE OR REPLACE FUNCTION current_line(line jsonb, levels jsonb, now timestamptz) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    stored constant jsonb := coalesce(levels -> level_key(line), line -> 'level');
    given  jsonb;
BEGIN
    IF (stored ->> 'period_end')::timestamptz > now OR (stored <> 'null' AND stored -> 'period_end' = 'null') THEN
        RETURN line || jsonb_build_object('level', stored, 'stored', stored);
    END IF;
    given := coalesce(nullif(line #> '{balance,granted}', 'null'), '0');
    RETURN line || jsonb_build_object('stored', stored, 'level', jsonb_build_object(
        'granted', given, 'remaining', given, 'entries', coalesce(stored -> 'entries', '0'),
        -- Whose clock is behind does not find a period before the first one.
        'period_end', next_reset((line #>> '{balance,anchor}')::timestamptz, line #>> '{balance,reset}',
            greatest(now, (line #>> '{balance,created_at}')::timestamptz))));
END $$;

-- The line after one movement, and the entries that say so: before it, where it is the first one of all or of its
-- period, there is another which makes the stored level the one of now.
CREATE OR REPLACE FUNCTION move_level(line jsonb, kind text, amount bigint, usage_id text, now timestamptz)
RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    level     constant jsonb := line -> 'level';
    stored    constant jsonb := line -> 'stored';
    remaining constant bigint := level -> 'remaining';
    number    bigint := (level -> 'entries')::bigint + 1;
    entry     jsonb := jsonb_build_object('balance_id', line #> '{balance,id}', 'usage_id', usage_id,
        'entity_id', coalesce(line ->> 'entity_id', ''), 'occurred_at', now);
    entries   jsonb := '[]';
BEGIN
    IF stored = 'null' OR stored -> 'period_end' <> level -> 'period_end' THEN
        entries := jsonb_build_array(entry || jsonb_build_object('number', number,
            'kind', CASE stored WHEN 'null' THEN 'grant' ELSE 'reset' END,
            'amount', remaining - coalesce((stored ->> 'remaining')::bigint, 0), 'remaining', remaining));
        number := number + 1;
    END IF;
    RETURN jsonb_build_object(
        'line', jsonb_set(line, '{level}', level || jsonb_build_object('remaining', remaining + amount,
            'entries', number, 'granted', (level -> 'granted')::bigint
                + CASE kind WHEN 'correction' THEN amount ELSE 0 END)),
        'entries', entries || (entry
            || jsonb_build_object('number', number, 'kind', kind, 'amount', amount, 'remaining', remaining + amount)));
END $$;

-- {feature: {"granted", "used", "thresholds"}} of the lines that have a limit.
CREATE OR REPLACE FUNCTION level_totals(lines jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_object_agg(feature, totals), '{}') FROM (
        SELECT line #>> '{balance,feature}' AS feature, jsonb_build_object(
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

-- The event with what became of it.
CREATE OR REPLACE FUNCTION usage_event(event jsonb, usage jsonb, slug text, crossed jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT event || jsonb_build_object('data', jsonb_build_object('previous', NULL, 'object', jsonb_build_object(
        'id', usage -> 'id', 'customer_id', usage -> 'customer_id', 'feature_id', usage -> 'feature_id',
        'feature', slug, 'entity_id', usage -> 'entity_id', 'kind', usage -> 'kind', 'amount', usage -> 'amount',
        'recorded', usage -> 'recorded', 'livemode', usage -> 'livemode', 'occurred_at', usage -> 'occurred_at',
        'crossed', crossed)))
$$;

-- All that was recorded, at once. `entries` are those of each; `levels` are by their keys, the balance's id and the
-- entity's.
CREATE OR REPLACE FUNCTION store_usage(
    org text, live boolean, recorded jsonb[], entries jsonb[], levels jsonb, events jsonb[]
) RETURNS void LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    -- In the order of their keys: calls of several processes that give the same ones cannot deadlock.
    INSERT INTO usages
        SELECT row.* FROM unnest(recorded) AS one, jsonb_populate_record(NULL::usages, one) AS row ORDER BY row.key;
    INSERT INTO balance_entries
        SELECT org, live, entry.balance_id, entry.entity_id, entry.number, entry.kind, entry.amount,
            entry.remaining, entry.usage_id, entry.occurred_at
        FROM unnest(entries) AS of_one, jsonb_populate_recordset(NULL::balance_entries, of_one) AS entry;
    INSERT INTO balance_levels
        SELECT org, live, split_part(key, '/', 1), split_part(key, '/', 2), (level -> 'granted')::bigint,
            (level -> 'remaining')::bigint, (level ->> 'period_end')::timestamptz, (level -> 'entries')::bigint
        FROM jsonb_each(levels) AS changed (key, level) ORDER BY key
    ON CONFLICT (organization_id, livemode, balance_id, entity_id) DO UPDATE SET
        granted = excluded.granted, remaining = excluded.remaining, period_end = excluded.period_end,
        entries = excluded.entries;
    IF events <> '{}' THEN
        PERFORM store_events(to_jsonb(events));
    END IF;
END $$;

-- asked: {"id", "balance_id", "entity", "amount", "key", "fingerprint", "at", "event"}.
CREATE OR REPLACE FUNCTION correct_balance(org text, live boolean, asked jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    amount constant bigint := asked -> 'amount';
    known  balances;
    wanted features;
    entity text;
    line   jsonb;
    moved  jsonb;
    usage  jsonb;
    answer jsonb;
BEGIN
    PERFORM enter(org, live);
    SELECT * INTO known FROM balances t
        WHERE t.organization_id = org AND t.livemode = live AND t.id = asked ->> 'balance_id';
    PERFORM FROM customers t
        WHERE t.organization_id = org AND t.livemode = live AND t.id = known.customer_id FOR NO KEY UPDATE;
    answer := answered_usage(org, live, asked ->> 'key', asked ->> 'fingerprint', NULL);
    IF answer IS NOT NULL THEN
        RETURN answer;
    ELSIF known.id IS NULL THEN
        RETURN '{"outcome": "balance_not_found"}';
    END IF;
    entity := current_entity(org, live, known.customer_id, asked ->> 'entity');
    IF known.per_entity <> (asked ->> 'entity' IS NOT NULL) OR (known.per_entity AND entity IS NULL) THEN
        RETURN '{"outcome": "entity_not_found"}';
    END IF;
    SELECT * INTO wanted FROM features t
        WHERE t.organization_id = org AND t.livemode = live AND t.id = known.feature_id;
    IF wanted.type = 'boolean' OR known.unlimited THEN
        RETURN '{"outcome": "balance_not_counted"}';
    END IF;
    line := current_line(balance_line(org, live, known, entity), '{}', (asked ->> 'at')::timestamptz);
    IF amount < -greatest(0, (line #> '{level,remaining}')::bigint) THEN
        RETURN '{"outcome": "insufficient_balance"}';
    END IF;
    moved := move_level(line, 'correction', amount, asked ->> 'id', (asked ->> 'at')::timestamptz);
    line := moved -> 'line';
    usage := jsonb_build_object('organization_id', org, 'livemode', live, 'id', asked -> 'id',
        'customer_id', known.customer_id, 'feature_id', wanted.id, 'entity_id', entity, 'kind', 'correction',
        'amount', amount, 'recorded', amount, 'key', asked -> 'key', 'occurred_at', asked -> 'at');
    answer := jsonb_build_object('outcome', 'recorded', 'usage', usage, 'lines', told_lines(ARRAY[line]));
    PERFORM store_usage(org, live,
        ARRAY[CASE WHEN asked ->> 'key' IS NULL THEN usage
            ELSE usage || jsonb_build_object('fingerprint', asked -> 'fingerprint', 'answer', answer) END],
        ARRAY[moved -> 'entries'],
        jsonb_build_object(level_key(line), line -> 'level'),
        ARRAY[usage_event(asked -> 'event', usage, wanted.slug, '[]')]);
    RETURN answer;
END $$;

CREATE OR REPLACE FUNCTION balance_line(org text, live boolean, known balances, entity text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('balance', to_jsonb(known), 'cost', NULL,
        'entity_id', CASE WHEN known.per_entity THEN entity END, 'level', (SELECT to_jsonb(l) FROM balance_levels l
            WHERE l.organization_id = org AND l.livemode = live AND l.balance_id = known.id
                AND l.entity_id = CASE WHEN known.per_entity THEN entity ELSE '' END))
$$;

CREATE OR REPLACE FUNCTION balance_lines(org text, live boolean, buyer text, entity text, now timestamptz)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(jsonb_agg(balance_line(org, live, b, entity) ORDER BY b.id), '[]')
        FROM counting_balances(org, live, buyer, entity, now) b);
END $$;

-- All balances of a customer that count now.
CREATE OR REPLACE FUNCTION balance_context(
    org text, live boolean, reference text, asked_entity text, now timestamptz
) RETURNS jsonb LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
DECLARE
    buyer  customers;
    entity text;
BEGIN
    PERFORM enter(org, live);
    buyer := find_customer(org, live, reference);
    entity := current_entity(org, live, buyer.id, asked_entity);
    RETURN jsonb_build_object(
        'customer', CASE WHEN buyer.id IS NOT NULL THEN to_jsonb(buyer) END,
        'entity_id', entity,
        'lines', balance_lines(org, live, buyer.id, entity, now));
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
    entity := current_entity(org, live, known.customer_id, asked_entity);
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

-- Each entity that counts against a feature holds one unit of it, of what is not used otherwise: CF003 where there is
-- none left. One at a time for each customer.
CREATE OR REPLACE FUNCTION entity_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    free bigint;
BEGIN
    PERFORM FROM customers t WHERE t.organization_id = NEW.organization_id AND t.livemode = NEW.livemode
        AND t.id = NEW.customer_id FOR NO KEY UPDATE;
    free := (SELECT sum(CASE WHEN (line #> '{balance,unlimited}')::boolean OR (line #> '{balance,overage}')::boolean
            THEN 1e18 ELSE greatest(0, (current_line(line, '{}', NEW.created_at) #> '{level,remaining}')::bigint) END)
        FROM jsonb_array_elements(usage_lines(NEW.organization_id, NEW.livemode, NEW.customer_id, NEW.feature_id,
            NULL, NEW.created_at)) AS line
        WHERE line -> 'cost' = 'null');
    IF coalesce(free, 0) < held_units(NEW.organization_id, NEW.livemode, NEW.customer_id, NEW.feature_id) THEN
        RAISE EXCEPTION 'insufficient balance' USING ERRCODE = 'CF003';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER entity_fits AFTER INSERT ON entities FOR EACH ROW
    WHEN (NEW.feature_id IS NOT NULL) EXECUTE FUNCTION entity_fits();
