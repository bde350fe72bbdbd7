"""What news of an intent, a charge or a renewal is decided on, in the books of one organization and mode."""

from typing import assert_never

from msgspec.structs import replace

from adapters.memory.reading import TenantBooks
from application.ports import BookingContext, ChargeContext, Offer, RenewalContext
from domain.account import Organization
from domain.balance import Balance
from domain.catalog import Price, Product
from domain.checkout import CheckoutSession, NewCheckoutSession
from domain.checkout_opening import OpeningContext
from domain.completion import Ground
from domain.customer import Customer
from domain.defaults import Standby, free_ones
from domain.ids import (
    CustomerId,
    InvoiceId,
    ProductId,
    SubscriptionId,
)
from domain.intake_payment import IntakePayment
from domain.invoice import Invoice
from domain.payment import Payment, PaymentFact
from domain.payment_method import PaymentMethod, StoredMethod
from domain.purchase import Purchase
from domain.setup import Setup, SetupFact
from domain.subscription import Subscription, SubscriptionItem
from domain.text import fingerprint_key


class BookingBooks(TenantBooks):
    """The same rows, put together for what is sold, paid and charged."""

    def opening(self, draft: NewCheckoutSession) -> OpeningContext:
        """What opening a checkout session is decided on."""
        asked_customer, asked, purchase_id, subscription_id = (
            getattr(draft, name, None) for name in ("customer", "price", "purchase", "subscription")
        )
        purchase, named = self.get(Purchase, purchase_id), self.get(Subscription, subscription_id)
        of = purchase or named
        reference = asked_customer or (of.customer_id if of else None)
        if reference is None:
            customer = None
            model = self.default_pricing_model()
            model_id = model.id if model else None
        else:
            customer = self.customer(reference)
            if customer is None:
                return OpeningContext(None, None, None)
            model_id = customer.pricing_model_id
        asked = purchase.price_id if purchase else asked
        price = self.price(asked, model_id) if asked is not None else None
        is_theirs = named is not None and customer is not None and named.customer_id == customer.id
        return OpeningContext(
            customer=customer,
            price=price,
            product=self.get(Product, price.product_id) if price else None,
            purchase=purchase,
            subscription=named if is_theirs else None,
            current=self.subscriptions(customer) if price and price.type == "subscription" else (),
            trial_used=self.trial_used(
                customer.id if customer else None, price.product_id if price else None
            ),
        )

    def offer(self, session: CheckoutSession) -> Offer:
        """What the hosted page of this session shows."""
        price = self.get(Price, session.price_id)
        (seller,) = [
            row.name
            for row in self._books.states.values()
            if isinstance(row, Organization) and row.id == session.organization_id
        ]
        return Offer(
            session=session,
            product=self.get(Product, price.product_id) if price else None,
            price=price,
            seller=seller,
            payment=self.payment_of(session.payment_intent_id),
            setup=self.setup_of(session.setup_intent_id),
            trial_used=self.trial_used(session.customer_id, price.product_id if price else None),
        )

    def standby(self, ended: Subscription) -> Standby | None:
        """What its customer has whenever they have no other plan of its group; None where it takes no place
        among their own."""
        buyer, sold = self.get(Customer, ended.customer_id), self.get(Product, ended.product_id)
        if buyer is None or sold is None or ended.is_add_on or ended.entity_id is not None:
            return None
        free = (
            plan
            for plan in free_ones(self.terms(self.pricing_model(buyer.pricing_model_id)))
            if plan.product.group == sold.group and not plan.product.is_add_on
        )
        plan = next(free, None)
        if plan is None:
            return None
        had = [
            row
            for row in self.rows(Subscription)
            if (row.customer_id, row.product_id, row.entity_id) == (buyer.id, plan.product.id, None)
            and row.id != ended.id
        ]
        if any(row.status != "canceled" for row in had):
            return None
        ids = {row.id for row in had}
        latest = {row.feature_id: row for row in self.rows(Balance) if row.subscription_id in ids}
        return Standby(plan, tuple(sorted(latest.values(), key=lambda row: row.id)))

    def trial_used(self, customer_id: CustomerId | None, product_id: ProductId | None) -> bool:
        """Whether the customer, or another one with their fingerprint, had a trial of the product."""
        buyer = self.get(Customer, customer_id)
        if buyer is None:
            return False
        key = fingerprint_key(buyer.fingerprint) if buyer.fingerprint is not None else ""
        return any(
            row.product_id == product_id
            and row.trial_ends_at is not None
            and (row.customer_id == buyer.id or row.trial_fingerprint == key)
            for row in self.rows(Subscription)
        )

    def payment_of(self, payment_intent_id: str | None) -> Payment | None:
        """By Stripe's intent."""
        if payment_intent_id is None:
            return None
        return self.first(Payment, lambda row: row.payment_intent_id == payment_intent_id)

    def setup_of(self, setup_intent_id: str | None) -> Setup | None:
        """By Stripe's intent."""
        if setup_intent_id is None:
            return None
        return self.first(Setup, lambda row: row.setup_intent_id == setup_intent_id)

    def booking(
        self, fact: PaymentFact | SetupFact, session: CheckoutSession | None, *, handled: bool
    ) -> BookingContext:
        """What this fact is decided on."""
        match fact:
            case PaymentFact(payment_intent_id=intent_id, invoice_id=invoice_id, intake_payment_id=intake_id):
                payment, setup, method = self.payment_of(intent_id), None, None
            case SetupFact(setup_intent_id=intent_id, payment_method=method):
                payment, setup, invoice_id, intake_id = None, self.setup_of(intent_id), None, None
            case _:
                assert_never(fact)
        by_intent = self.first(CheckoutSession, lambda row: row.intent_id == intent_id)
        paying = self.first(IntakePayment, lambda row: row.payment_intent_id == intent_id)
        asked_for = paying.id if paying and intake_id is not None else None
        return BookingContext(
            handled=handled,
            session=session,
            completing=by_intent.id if by_intent else asked_for,
            payment=payment,
            setup=setup,
            ground=self._ground(session, method) if session else self._invoice_ground(invoice_id),
            intake=self.get(IntakePayment, intake_id),
        )

    def paying(self, asked: IntakePayment) -> BookingContext:
        """What news of this intake payment is decided on, by its own intent."""
        return BookingContext(
            handled=False,
            session=None,
            completing=asked.id if asked.payment_intent_id is not None else None,
            payment=self.payment_of(asked.payment_intent_id),
            setup=None,
            ground=Ground(),
            intake=asked,
        )

    def completing(self, session: CheckoutSession) -> BookingContext:
        """What completing this session is decided on, by its own intent."""
        return BookingContext(
            handled=False,
            session=session,
            completing=session.id if session.intent_id is not None else None,
            payment=self.payment_of(session.payment_intent_id),
            setup=self.setup_of(session.setup_intent_id),
            ground=self._ground(session, None),
        )

    def _ground(self, session: CheckoutSession, method: StoredMethod | None) -> Ground:
        price = self.get(Price, session.price_id)
        model = self.pricing_model(price.pricing_model_id if price else None)
        purchase = self.get(Purchase, session.purchase_id)
        ground = Ground(
            customer=self.get(Customer, session.customer_id),
            price=price,
            product=self.get(Product, price.product_id) if price else None,
            purchase=purchase,
            invoice=self.first(Invoice, lambda row: row.purchase_id == purchase.id) if purchase else None,
            terms=self.terms(model or self.default_pricing_model()),
            sends_receipts=self.sends_receipts(),
        )
        if session.collects == "payment":
            return ground
        return replace(
            ground,
            subscription=self.get(Subscription, session.subscription_id),
            owed=self.owed(session.subscription_id),
            current=self.subscriptions(ground.customer),
            trial_used=self.trial_used(session.customer_id, price.product_id if price else None),
            payment_method=self.first(
                PaymentMethod,
                lambda row: (
                    method is not None and row.stripe_payment_method_id == method.stripe_payment_method_id
                ),
            ),
        )

    def owed(self, subscription_id: SubscriptionId | None) -> tuple[Invoice, ...]:
        """What is still to be paid for a subscription, in the order of ids."""
        if subscription_id is None:
            return ()
        return tuple(
            row
            for row in self.rows(Invoice)
            if row.subscription_id == subscription_id and row.paid_at is None and row.status != "void"
        )

    def _invoice_ground(self, invoice_id: InvoiceId | None) -> Ground:
        invoice = self.get(Invoice, invoice_id)
        if invoice is None:
            return Ground()
        return Ground(
            invoice=invoice,
            purchase=self.get(Purchase, invoice.purchase_id),
            subscription=self.get(Subscription, invoice.subscription_id),
            customer=self.get(Customer, invoice.customer_id),
        )

    def charging(self, id: InvoiceId) -> ChargeContext | None:
        """What charging for a subscription's invoice is decided on."""
        invoice = self.get(Invoice, id)
        subscription = self.get(Subscription, invoice.subscription_id) if invoice else None
        customer = self.get(Customer, invoice.customer_id) if invoice else None
        if invoice is None or subscription is None or customer is None:
            return None
        method = self.get(PaymentMethod, subscription.payment_method_id)
        return ChargeContext(invoice, customer, subscription, method)

    def renewing(self, id: SubscriptionId) -> RenewalContext | None:
        """What renewing a subscription is decided on."""
        subscription = self.get(Subscription, id)
        item = self.first(SubscriptionItem, lambda row: row.subscription_id == id)
        if subscription is None or item is None:
            return None
        customer = self.get(Customer, subscription.customer_id)
        product = self.get(Product, subscription.product_id)
        assert customer is not None, "customers are never deleted"
        assert product is not None, "products are never deleted"
        return RenewalContext(
            subscription=subscription,
            item=item,
            price=self.get(Price, item.price_id),
            product=product,
            customer=customer,
            standby=self.standby(subscription) if subscription.cancel_at_period_end else None,
            sends_receipts=self.sends_receipts(),
        )
