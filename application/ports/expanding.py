"""Customers with what else is asked for of them."""

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from domain.customer import CustomerRecord
from domain.expansions import Expansion, TrialUsed, trials_in
from domain.invoice import Invoice
from domain.payment import Payment

NEWEST = 10
"""How many payments and invoices are shown with a customer."""


class Expanded(Struct, frozen=True, kw_only=True):
    """What was asked for; unset what was not. Payments and invoices are the newest ones, trials are in the
    order in which they began."""

    payments: tuple[Payment, ...] | UnsetType = UNSET
    invoices: tuple[Invoice, ...] | UnsetType = UNSET
    trials_used: tuple[TrialUsed, ...] | UnsetType = UNSET
    entities: tuple[dict[str, Any], ...] | UnsetType = UNSET
    balances: tuple[dict[str, Any], ...] | UnsetType = UNSET

    @classmethod
    def of_new(cls, record: CustomerRecord, wanted: tuple[Expansion, ...]) -> "Expanded":
        """Of a customer who is being made: what there is of them is in the record."""
        return cls(
            payments=() if "payments" in wanted else UNSET,
            invoices=() if "invoices" in wanted else UNSET,
            trials_used=trials_in(record.subscriptions) if "trials_used" in wanted else UNSET,
            entities=() if "entities" in wanted else UNSET,
            balances=() if "balances" in wanted else UNSET,
        )


class ExpandedCustomer(Struct, frozen=True):
    """A customer, with what was asked for."""

    record: CustomerRecord
    expanded: Expanded
