"""Completing a checkout: who buys, what they have bought, and how the session stands after it.

The one core of every way to complete a session, whether money is moved for it, a means of payment is left, or
there is nothing to pay: customer, purchase, invoice, subscription and session come from here, and so do
their events.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from domain import (
    balance,
    checkout_progress,
    customer,
    invoice,
    payment_method,
    purchase,
    subscribing,
    subscription,
)
from domain.auth import Anonymous
from domain.billing import billed_to
from domain.catalog import Price, Product
from domain.change import Change
from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.defaults import CustomerTerms
from domain.errors import Rejected
from domain.ids import CustomerId, Ids, InvoiceId, PaymentMethodId, PurchaseId
from domain.intent import IntentStatus
from domain.invoice import Billed, Invoice, InvoiceLine
from domain.payment_method import PaymentMethod, StoredMethod
from domain.purchase import Purchase
from domain.subscribing import Subscribed, Wanted
from domain.subscription import Subscription, SubscriptionRecord


class Ground(Struct, frozen=True, kw_only=True):
    """What completing a session is decided on; null what is not there.

    `customer`, `price`, `product` and `purchase` are the session's, `invoice` the purchase's. `subscription`
    is the one that the session names, `owed` what is still to be paid for it, of whichever period; `current`
    are the customer's current subscriptions. `trial_used`: they, or somebody with their
    fingerprint, had a trial of this product.
    `payment_method` is what Stripe says was set up, if it is known. `terms` are for a customer to be made.
    """

    customer: Customer | None = None
    price: Price | None = None
    product: Product | None = None
    purchase: Purchase | None = None
    invoice: Invoice | None = None
    subscription: Subscription | None = None
    owed: tuple[Invoice, ...] = ()
    current: tuple[Subscription, ...] = ()
    trial_used: bool = False
    payment_method: PaymentMethod | None = None
    terms: CustomerTerms = CustomerTerms(None)
    sends_receipts: bool = False


class Outcome(Struct, frozen=True, kw_only=True):
    """How what is asked of the buyer stands, as far as it is known.

    `binding`: they have done it, or are paying, so that there is a customer, and a purchase. `abandoned`: it
    was canceled because the session had expired, and by nobody else. They pay for a `quantity`, or leave a
    `method`. `email` is what became known of theirs; so much of what they have paid was `refunded`.
    """

    status: IntentStatus
    binding: bool
    abandoned: bool = False
    payment_intent_id: str | None = None
    setup_intent_id: str | None = None
    quantity: int | None = None
    method: StoredMethod | None = None
    email: str | None = None
    refunded: int = 0


NOTHING_TO_PAY = Outcome(status="succeeded", binding=True)
"""Nothing is asked of them, so it is done."""


class Completion(Struct, frozen=True, kw_only=True):
    """What follows from an outcome: all that is new or changed, and the session last.

    The ids are those of what belongs to the session from now on; `subscribed` is the new subscription.
    """

    changes: tuple[Change[Any], ...]
    session: Change[CheckoutSession] | None
    customer_id: CustomerId | None
    purchase_id: PurchaseId | None
    invoice_id: InvoiceId | None
    payment_method_id: PaymentMethodId | None
    subscribed: SubscriptionRecord | None = None


def follow(session: CheckoutSession, ground: Ground, outcome: Outcome, ids: Ids, now: datetime) -> Completion:
    """What this outcome makes of the session.

    Where nobody is known to be buying, the customer is made, and never found by e-mail: a stranger could else
    write on somebody's customer by knowing an address. Raises Rejected `no_default_pricing_model`,
    `purchase_not_open`, `already_subscribed`, and `checkout_session_not_free` where nothing was asked for,
    and something is to be paid by now: the trial has been used.
    """
    return _Completing(session, ground, outcome, ids, now).completion()


class _Completing:
    """One completion under way: gathers what changes, in the order in which it is told."""

    def __init__(
        self, session: CheckoutSession, ground: Ground, outcome: Outcome, ids: Ids, now: datetime
    ) -> None:
        self._before = session
        self._ground = ground
        self._outcome = outcome
        self._ids = ids
        self._now = now
        self._changes: list[Change[Any]] = []
        self._current = ground.current
        self._subscribed: SubscriptionRecord | None = None
        self._method_id = ground.payment_method.id if ground.payment_method else None
        self._invoice_id = ground.invoice.id if ground.invoice else None
        quantity = outcome.quantity or session.quantity
        self._session = replace(
            session,
            quantity=quantity,
            amount=session.unit_amount * quantity,
            payment_intent_id=outcome.payment_intent_id or session.payment_intent_id,
            setup_intent_id=outcome.setup_intent_id or session.setup_intent_id,
        )

    def completion(self) -> Completion:
        if self._outcome.binding:
            self._know_the_buyer()
        if self._outcome.method is not None:
            self._keep_the_method(self._outcome.method)
        if self._session.sells:
            self._sell()
        elif self._outcome.binding:
            self._pay_subscriptions()
        return Completion(
            changes=tuple(self._changes),
            session=checkout_progress.follow_intent(
                self._before,
                self._outcome.status,
                abandoned=self._outcome.abandoned,
                now=self._now,
                known=self._session,
            ),
            customer_id=self._session.customer_id,
            purchase_id=self._session.purchase_id,
            invoice_id=self._invoice_id,
            payment_method_id=self._method_id,
            subscribed=self._subscribed,
        )

    def _know_the_buyer(self) -> None:
        session, terms = self._session, self._ground.terms
        if session.customer_id is not None:
            return
        draft = customer.anonymous_draft(
            session.id,
            terms,
            email=session.customer_email or self._outcome.email,
            name=session.customer_name,
            billing_address=session.billing_address,
        )
        buyer = Anonymous(session.organization_id, session.livemode)
        creation, record = customer.create(draft, buyer, terms, self._ids, self._now)
        self._changes.append(creation)
        self._current = tuple(held.subscription for held in record.subscriptions)
        self._session = replace(session, customer_id=creation.after.id)

    def _keep_the_method(self, method: StoredMethod) -> None:
        session = self._session
        if self._method_id is None and session.customer_id is not None:
            kept = payment_method.keep(
                method, session.customer_id, session.organization_id, self._ids, self._now,
                livemode=session.livemode,
            )  # fmt: skip
            self._changes.append(kept)
            self._method_id = kept.after.id

    def _sell(self) -> None:
        price, product = self._ground.price, self._ground.product
        assert price is not None, "what is sold has a price"
        assert product is not None, "a price is of a product"
        if price.type != "subscription":
            line = InvoiceLine(
                product.name, self._session.quantity, price.amount, self._session.amount, price.id
            )
            self._bill(product, price, line, self._outcome.status)
        elif self._outcome.binding and self._session.subscription_id is None:
            subscribed = self._subscribe(price, product)
            due: IntentStatus = "processing" if subscribed.line.amount else "succeeded"
            self._bill(product, price, subscribed.line, due, subscribed.subscription)

    def _subscribe(self, price: Price, product: Product) -> Subscribed:
        assert self._session.customer_id is not None, "a buyer who is bound is known"
        wanted = Wanted(
            customer_id=self._session.customer_id,
            product=product,
            price=price,
            quantity=self._session.quantity,
            payment_method_id=self._method_id,
            trial_used=self._ground.trial_used,
            fingerprint=self._ground.customer.fingerprint if self._ground.customer else None,
            preserve_billing_cycle=self._session.preserve_billing_cycle,
            entity_id=self._session.entity_id,
        )
        subscribed = subscribing.subscribe(wanted, self._current, self._ids, self._now)
        if self._session.is_free and subscribed.line.amount:
            raise Rejected("checkout_session_not_free", "The free trial has been used by now.")
        self._changes += subscribed.changes
        self._subscribed = SubscriptionRecord(subscribed.subscription, subscribed.items)
        self._session = replace(self._session, subscription_id=subscribed.subscription.id)
        return subscribed

    def _bill(
        self,
        product: Product,
        price: Price,
        line: InvoiceLine,
        payment: IntentStatus,
        subscribed: Subscription | None = None,
    ) -> None:
        """Purchase and invoice, as far as they are paid. A failed attempt of a stranger makes neither."""
        session, known = self._session, self._ground.purchase
        is_paying = known is not None and known.checkout_session_id == session.id
        if session.customer_id is None or not (self._outcome.binding or is_paying):
            return
        new = purchase.buy(session.customer_id, price, session.quantity, line.amount, self._ids, self._now)
        bought = purchase.pay_through(known, new, session.id, payment, self._outcome.refunded, self._now)
        if bought is not None:
            self._changes.append(bought)
            self._session = replace(session, purchase_id=bought.after.id)
            if subscribed is None and purchase.is_completed_by(bought):
                self._changes += balance.of_purchase(bought.after, product.features, self._ids, self._now)
        invoiced = self._invoiced(session.customer_id, price, line, payment, subscribed)
        if invoiced is not None:
            self._changes.append(invoiced)
            self._invoice_id = invoiced.after.id

    def _invoiced(
        self,
        customer_id: CustomerId,
        price: Price,
        line: InvoiceLine,
        payment: IntentStatus,
        subscribed: Subscription | None,
    ) -> Change[Invoice] | None:
        known, refunded = self._ground.invoice, self._outcome.refunded
        if known is not None:
            return invoice.follow_payment(known, payment, refunded, self._now)
        session = self._session
        to = billed_to(self._ground.customer, session, self._outcome.email)
        billed = Billed(
            organization_id=session.organization_id,
            livemode=session.livemode,
            customer_id=customer_id,
            billed_to=to,
            currency=price.currency,
            lines=(line,),
            purchase_id=session.purchase_id,
            subscription_id=subscribed.id if subscribed else None,
            period_start=subscribed.current_period_start if subscribed else None,
            period_end=subscribed.current_period_end if subscribed else None,
            receipt_email=to.email if self._ground.sends_receipts else None,
        )
        return invoice.issue(
            billed, payment, refunded, self._ids, self._now, to_charge=subscribed is not None
        )

    def _pay_subscriptions(self) -> None:
        """The means of payment that was left is that of one subscription, or of all, from now on."""
        session, named = self._session, self._ground.subscription
        if self._method_id is None or session.status == "succeeded":
            return
        for known in self._current if session.all_subscriptions else (named,) if named else ():
            if (paid := subscription.pay_by(known, self._method_id)) is not None:
                self._changes.append(paid)
        if session.type == "activate_subscription":
            charges = (invoice.charge_again(owed) for owed in self._ground.owed)
            self._changes += [charge for charge in charges if charge is not None]
