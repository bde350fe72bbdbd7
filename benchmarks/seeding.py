"""What is in the books before anything is measured."""

import asyncpg

from benchmarks.stage import Stage

_COPIES = """
    INSERT INTO {table} SELECT made.* FROM {table} AS one, generate_series($2::int, $3::int) AS n,
        LATERAL jsonb_populate_record(one, jsonb_build_object({changes})) AS made
    WHERE one.organization_id = $1 AND NOT one.livemode AND {the_first}
"""
_ID = "'{prefix}_-' || lpad(n::text, 25, '0')"  # before all that are given out later
_CUSTOMER = (
    "'known-' || lpad((n % {places})::text, 2, '0') || '-' || lpad((n / {places})::text, {letters}, '0')"
)
_AT_A_TIME = 100_000


async def copy_customers(
    stage: Stage, admin: asyncpg.Connection, template: str, count: int, *, places: int, letters: int
) -> None:
    """So many customers like the one with this external id, each with all that a new customer has; named as
    `known_customer` says."""
    customer = await admin.fetchval("SELECT id FROM customers WHERE external_id = $1", template)
    name = _CUSTOMER.format(places=places, letters=letters)
    ids = {
        table: _ID.format(prefix=prefix)
        for table, prefix in (
            ("customers", "cus"),
            ("subscriptions", "sub"),
            ("subscription_items", "si"),
            ("balances", "bal"),
        )
    }
    owner = f"'customer_id', {ids['customers']}"
    changes = {
        "customers": f"'external_id', {name}, 'external_id_key', {name}, 'email', n || '@known.example', "
        "'email_key', n || '@known.example'",
        "subscriptions": owner,
        "subscription_items": f"'subscription_id', {ids['subscriptions']}",
        "balances": f"{owner}, 'subscription_id', {ids['subscriptions']}",
    }
    of_customer = f"one.customer_id = '{customer}'"
    first = {
        "customers": f"one.id = '{customer}'",
        "subscriptions": of_customer,
        "subscription_items": "one.subscription_id = "
        f"(SELECT id FROM subscriptions WHERE customer_id = '{customer}')",
        "balances": of_customer,
    }
    await admin.execute("SET session_replication_role = replica")  # what they refer to is there: see below
    for begin in range(0, count, _AT_A_TIME):
        end = min(begin + _AT_A_TIME, count) - 1
        for table, change in changes.items():
            query = _COPIES.format(
                table=table, changes=f"'id', {ids[table]}, {change}", the_first=first[table]
            )
            await admin.execute(query, stage.entitling.auth.organization_id, begin, end)
    await admin.execute("RESET session_replication_role")
    await admin.execute("VACUUM ANALYZE")


async def seed_sessions(stage: Stage, admin: asyncpg.Connection, token: str, count: int) -> None:
    """Open sessions that wait for their payment, one for each token (SQL over n)."""
    await admin.execute(
        f"""INSERT INTO counterfoil.checkout_sessions (
                organization_id, livemode, id, type, collects, status, price_id, quantity, quantities, amount,
                currency, customer_email, metadata, preserve_billing_cycle, all_subscriptions,
                payment_intent_id, client_secret, client_token, expires_at, created_at, version)
            SELECT p.organization_id, p.livemode, 'cs_' || token || '000', 'product', 'payment', 'open', p.id,
                1, '[1]', p.amount, p.currency, token || '@example.com', '{{}}', false, false,
                'pi_' || token, 'secret', 'cst_' || token, now() + interval '1 day', now(), 1
            FROM counterfoil.prices AS p,
                LATERAL (SELECT {token} AS token FROM generate_series(1, {count}) AS n) AS t
            WHERE p.organization_id = '{stage.plain.auth.organization_id}' AND NOT p.livemode
                AND p.slug = 'course'"""
    )
