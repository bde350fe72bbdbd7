"""What there is to refer to: the same for every store, as both hold the same between two steps."""

from collections.abc import Sequence
from typing import TypeVar

from application.causes import Task
from application.operator_ports import InboxRow
from domain.account import ApiKey
from domain.auth import Authenticated
from domain.balance import Balance
from domain.catalog import Price, PricingModel
from domain.change import State
from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.entity import Entity
from domain.intake_payment import IntakePayment
from domain.invoice import Invoice
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.purchase import Purchase
from domain.subscription import Subscription
from domain.usage import Usage
from domain.user import User
from tests.application.promises import of_kind
from tests.machine.books import Everything

T = TypeVar("T")
S = TypeVar("S", bound=State)


class Known:
    """Things are picked by a number, whatever there is: what Hypothesis draws must not depend on who won."""

    def __init__(self, found: Everything, leased: Sequence[Task]) -> None:
        self._found = found
        self._leased = leased
        self.sessions = len(of_kind(found, CheckoutSession))
        self.unnumbered = sum(event.sequence is None for event in found.events)

    def tenant(self, pick: int) -> Authenticated:
        """Somebody who acts for an organization in one mode; the first is in the first one's test mode."""
        owners = list(
            {
                Authenticated(key.user_id, key.organization_id, key.livemode): None
                for key in of_kind(self._found, ApiKey)
            }
        )
        owners.sort(key=lambda owner: (owner.organization_id, owner.livemode))
        return owners[pick % len(owners)]

    def key(self, pick: int) -> ApiKey:
        """An API key, of whomever, revoked or not."""
        keys = of_kind(self._found, ApiKey)
        return keys[-1 - pick % len(keys)]

    def model(self, auth: Authenticated, pick: int) -> PricingModel | None:
        """A pricing model, archived or not."""
        return _picked(self._of(auth, PricingModel), pick)

    def price(self, auth: Authenticated, pick: int) -> Price | None:
        """A price, archived or not."""
        return _picked(self._of(auth, Price), pick)

    def on_sale(self, auth: Authenticated) -> Price | None:
        """A price that a checkout session can be opened for, the newest."""
        return next(
            (
                price
                for price in reversed(self._of(auth, Price))
                if price.type == "single_payment" and price.amount > 0 and price.archived_at is None
            ),
            None,
        )

    def plan_on_sale(self, auth: Authenticated) -> Price | None:
        """A price of a subscription that costs something, the newest."""
        return next(
            (
                price
                for price in reversed(self._of(auth, Price))
                if price.type == "subscription" and price.amount > 0 and price.archived_at is None
            ),
            None,
        )

    def customer(self, auth: Authenticated, pick: int) -> Customer | None:
        """A customer, anonymous ones too."""
        return _picked(self._of(auth, Customer), pick)

    def user(self, auth: Authenticated, pick: int) -> User | None:
        """A user, owners too."""
        return _picked(self._of(auth, User), pick)

    def entity(self, auth: Authenticated, pick: int) -> Entity | None:
        """An entity, deleted or not."""
        return _picked(self._of(auth, Entity), pick)

    def balance(self, auth: Authenticated, pick: int) -> Balance | None:
        """A balance, whether it counts still or not: those of whole customers that can be corrected first."""
        found = self._of(auth, Balance)
        found.sort(key=lambda given: (given.granted is not None, not given.per_entity, given.id))
        return _picked(found, pick)

    def usage(self, auth: Authenticated, pick: int) -> Usage | None:
        """A record of usage."""
        tenant = auth.organization_id, auth.livemode
        return _picked(
            [row for row in self._found.usages if (row.organization_id, row.livemode) == tenant], pick
        )

    def session(self, pick: int) -> CheckoutSession | None:
        """A checkout session, of whomever; 0 is the newest."""
        return _picked(sorted(of_kind(self._found, CheckoutSession), key=lambda session: session.id), pick)

    def purchase(self, pick: int) -> Purchase | None:
        """A purchase, of whomever; 0 is the newest."""
        return _picked(sorted(of_kind(self._found, Purchase), key=lambda purchase: purchase.id), pick)

    def subscription(self, pick: int) -> Subscription | None:
        """A subscription, of whomever; 0 is the newest."""
        return _picked(sorted(of_kind(self._found, Subscription), key=lambda plan: plan.id), pick)

    def card(self, pick: int) -> PaymentMethod | None:
        """A means of payment, of whomever; 0 is the newest."""
        return _picked(sorted(of_kind(self._found, PaymentMethod), key=lambda card: card.id), pick)

    def invoice(self, pick: int) -> Invoice | None:
        """An invoice, of whomever; 0 is the newest."""
        return _picked(sorted(of_kind(self._found, Invoice), key=lambda invoice: invoice.id), pick)

    def inbound(self, pick: int) -> InboxRow | None:
        """What Stripe told us, whomever it is about."""
        return _picked(self._found.inbox, pick)

    def payment(self, pick: int) -> Payment | None:
        """A payment, of whomever; 0 is the newest."""
        return _picked(sorted(of_kind(self._found, Payment), key=lambda payment: payment.id), pick)

    def asked(self, pick: int) -> IntakePayment | None:
        """An intake payment, of whomever; 0 is the newest."""
        return _picked(sorted(of_kind(self._found, IntakePayment), key=lambda asked: asked.id), pick)

    def leased(self, pick: int) -> Task | None:
        """A task as somebody leased it once, finished or somebody else's by now; 0 is the latest lease."""
        return _picked(self._leased, pick)

    def _of(self, auth: Authenticated, kind: type[S]) -> list[S]:
        tenant = auth.organization_id, auth.livemode
        return [row for row in of_kind(self._found, kind) if (row.organization_id, row.livemode) == tenant]


def _picked(things: Sequence[T], pick: int) -> T | None:
    """From the last on, and over again."""
    return things[-1 - pick % len(things)] if things else None
