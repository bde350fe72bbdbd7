"""What must be true of the books after each run: one that loses something has not been measured."""

from dataclasses import astuple, dataclass

import asyncpg

from benchmarks.flows import Flow


class Lost(Exception):
    """The books are not what they should be after this many requests."""


@dataclass(frozen=True)
class Counted:
    """How many of each there are."""

    customers: int
    subscriptions: int
    items: int
    tasks: int
    customer_events: int
    subscription_events: int
    item_events: int
    paid_sessions: int
    paid_purchases: int
    paid_payments: int
    payment_events: int
    handled: int
    balances: int
    balance_events: int
    usages: int
    recorded: int
    """Units of all usages together."""
    used: int
    """Units that have left the balances."""
    entries: int
    entry_numbers: int
    """The numbers of the last entries, together."""
    units_left: int
    entry_units: int
    transactions: int

    def since(self, before: "Counted") -> "Counted":
        """What has come."""
        return Counted(*(now - then for now, then in zip(astuple(self), astuple(before), strict=True)))

    def check(self, flow: Flow, requests: int, unanswered: int) -> int:
        """Of what has come: every customer is whole, every payment, and every unit of usage; all that was
        answered is there, and at most what was not. How many were done. Raises Lost."""
        created = {
            self.customers,
            self.subscriptions,
            self.items,
            self.tasks,
            self.customer_events,
            self.subscription_events,
            self.item_events,
        }
        paid = {
            self.paid_sessions,
            self.paid_purchases,
            self.paid_payments,
            self.payment_events,
            self.handled,
            self.customers if flow.is_webhook else 0,
        }
        given = {self.balances, self.balance_events, self.customers if flow.gives else 0}
        used = {self.usages, self.recorded, self.used}
        left = {self.units_left, self.entry_units}
        done = self.customers if flow.creates else self.usages if flow.records else requests
        differing = max(map(len, (created, paid, given, used, left)))
        if differing > 1 or self.entries != self.entry_numbers:
            raise Lost(f"not everything is there: {self}")
        if not requests <= done <= requests + unanswered:
            raise Lost(f"{requests} answered, {done} done: {self}")
        return done


_COUNTS = """
SELECT
    (SELECT count(*) FROM customers) AS customers,
    (SELECT count(*) FROM subscriptions WHERE status = 'active') AS subscriptions,
    (SELECT count(*) FROM subscription_items) AS items,
    (SELECT count(*) FROM tasks WHERE effect ->> 'type' = 'create_stripe_customer') AS tasks,
    count(*) FILTER (WHERE type = 'customer.created') AS customer_events,
    count(*) FILTER (WHERE type = 'subscription.created') AS subscription_events,
    count(*) FILTER (WHERE type = 'subscription_item.created') AS item_events,
    (SELECT count(*) FROM checkout_sessions WHERE status = 'succeeded') AS paid_sessions,
    (SELECT count(*) FROM purchases WHERE status = 'paid') AS paid_purchases,
    (SELECT count(*) FROM payments WHERE status = 'succeeded') AS paid_payments,
    count(*) FILTER (WHERE type = 'payment.succeeded') AS payment_events,
    (SELECT count(*) FROM inbound_events WHERE handled_at IS NOT NULL) AS handled,
    (SELECT count(*) FROM balances) AS balances,
    count(*) FILTER (WHERE type = 'balance.granted') AS balance_events,
    (SELECT count(*) FROM usages) AS usages,
    (SELECT coalesce(sum(recorded), 0)::bigint FROM usages) AS recorded,
    (SELECT coalesce(sum(granted - remaining), 0)::bigint FROM balance_levels) AS used,
    (SELECT count(*) FROM balance_entries) AS entries,
    (SELECT coalesce(sum(entries), 0)::bigint FROM balance_levels) AS entry_numbers,
    (SELECT coalesce(sum(remaining), 0)::bigint FROM balance_levels) AS units_left,
    (SELECT coalesce(sum(amount), 0)::bigint FROM balance_entries) AS entry_units,
    (SELECT xact_commit + xact_rollback FROM pg_stat_database
        WHERE datname = current_database()) AS transactions
FROM events
"""


async def count(admin: asyncpg.Connection) -> Counted:
    """Now, over all tenants."""
    return Counted(**dict(await admin.fetchrow(_COUNTS) or {}))
