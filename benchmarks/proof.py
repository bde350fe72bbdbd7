"""What must be true of the books after each run: one that loses something has not been measured."""

from dataclasses import dataclass

import asyncpg


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
    transactions: int

    def check(self) -> None:
        """Every customer whole, every payment whole. Raises Lost."""
        created = (
            self.customers,
            self.subscriptions,
            self.items,
            self.tasks,
            self.customer_events,
            self.subscription_events,
            self.item_events,
        )
        paid = (
            self.paid_sessions,
            self.paid_purchases,
            self.paid_payments,
            self.payment_events,
            self.handled,
        )
        if len(set(created)) > 1 or len(set(paid)) > 1:
            raise Lost(f"not everything is there: {self}")


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
    (SELECT xact_commit + xact_rollback FROM pg_stat_database
        WHERE datname = current_database()) AS transactions
FROM events
"""


async def count(admin: asyncpg.Connection) -> Counted:
    """Now, over all tenants."""
    return Counted(**dict(await admin.fetchrow(_COUNTS) or {}))


def check_run(before: Counted, after: Counted, requests: int, connections: int, *, webhook: bool) -> None:
    """All that was answered is there, and at most one unanswered request more for each connection (the
    generator hangs up at the end). Raises Lost."""
    after.check()
    made = after.customers - before.customers
    paid = after.handled - before.handled
    if not requests <= made <= requests + connections or (webhook and made != paid):
        raise Lost(f"{requests} answered, {made} customers made, {paid} payments booked")
