"""Customers with what else is asked for of them."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from domain.balance import Balance
from domain.customer import CustomerRecord
from domain.entitlement import as_of
from domain.entity import Entity
from domain.expansions import Expansion, TrialUsed, trials_in
from domain.invoice import Invoice
from domain.payment import Payment
from domain.usage import Line, untouched

NEWEST = 10
"""How many payments, invoices and entities are shown with a customer."""


class Expanded(Struct, frozen=True, kw_only=True):
    """What was asked for; unset what was not. Payments, invoices and entities are the newest ones, trials
    are in the order in which they began. Balances are those that count for the customer as a whole, with
    their levels as stored."""

    payments: tuple[Payment, ...] | UnsetType = UNSET
    invoices: tuple[Invoice, ...] | UnsetType = UNSET
    trials_used: tuple[TrialUsed, ...] | UnsetType = UNSET
    entities: tuple[Entity, ...] | UnsetType = UNSET
    balances: tuple[Line, ...] | UnsetType = UNSET

    @classmethod
    def of_new(
        cls, record: CustomerRecord, balances: Iterable[Balance], wanted: tuple[Expansion, ...]
    ) -> "Expanded":
        """Of a customer who is being made, with these balances."""
        return cls(
            payments=() if "payments" in wanted else UNSET,
            invoices=() if "invoices" in wanted else UNSET,
            trials_used=trials_in(record.subscriptions) if "trials_used" in wanted else UNSET,
            entities=() if "entities" in wanted else UNSET,
            balances=tuple(map(untouched, balances)) if "balances" in wanted else UNSET,
        )

    def as_of(self, now: datetime) -> "Expanded":
        """With the levels of the balances as of now."""
        if isinstance(self.balances, UnsetType):
            return self
        return replace(self, balances=tuple(as_of(self.balances, now)))


class ExpandedCustomer(Struct, frozen=True):
    """A customer, with what was asked for."""

    record: CustomerRecord
    expanded: Expanded
