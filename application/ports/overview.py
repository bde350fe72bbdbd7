"""What a pricing page, or a page about somebody's account, is made of."""

from msgspec import Struct

from domain.catalog import Plan, Price, Product
from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.expansions import TrialUsed
from domain.invoice import Invoice
from domain.payment_method import PaymentMethod
from domain.subscription import SubscriptionRecord
from domain.usage import Line


class HeldPlan(Struct, frozen=True):
    """A current subscription, with its product, and the prices of its items, archived or not."""

    record: SubscriptionRecord
    product: Product
    prices: tuple[Price, ...]


class BillingOverview(Struct, frozen=True):
    """A customer, what is current of them, their newest invoices, the sessions that are open for them, all
    that their pricing model sells, by group and slug, and the balances that count for them as a whole, with
    their levels as stored."""

    customer: Customer
    held: tuple[HeldPlan, ...]
    payment_methods: tuple[PaymentMethod, ...]
    invoices: tuple[Invoice, ...]
    sessions: tuple[CheckoutSession, ...]
    trials_used: tuple[TrialUsed, ...]
    plans: tuple[Plan, ...]
    balances: tuple[Line, ...] = ()
