"""Valid things, each with the fields that a test cares about changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from domain.account import ApiKey, Organization
from domain.address import Address
from domain.auth import Authenticated
from domain.catalog import CatalogHead, Feature, Price, PricingModel, Product
from domain.change import State
from domain.checkout import CheckoutSession, NewProductSession
from domain.customer import Customer
from domain.ids import (
    ApiKeyId,
    CatalogId,
    CheckoutSessionId,
    CustomerId,
    FeatureId,
    IntakePaymentId,
    InvoiceId,
    OrganizationId,
    PaymentId,
    PaymentMethodId,
    PriceId,
    PricingModelId,
    ProductId,
    PurchaseId,
    SetupId,
    SubscriptionId,
    SubscriptionItemId,
    UserId,
)
from domain.intake_payment import IntakePayment
from domain.intent import Attempt
from domain.invoice import BilledTo, Invoice, InvoiceLine
from domain.payment import Payment, PaymentFact
from domain.payment_method import PaymentMethod
from domain.purchase import Purchase
from domain.setup import Setup
from domain.subscription import Subscription, SubscriptionItem
from domain.text import EmailKey
from domain.user import User

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def suffix(number: int = 1) -> str:
    """What follows the prefix of a TypeID."""
    return f"{number:026d}"


ORGANIZATION = OrganizationId(f"org_{suffix()}")
USER = UserId(f"usr_{suffix()}")
MODEL = PricingModelId(f"pm_{suffix()}")
PRODUCT = ProductId(f"prod_{suffix()}")
PRICE = PriceId(f"price_{suffix()}")
CUSTOMER = CustomerId(f"cus_{suffix()}")
SUBSCRIPTION = SubscriptionId(f"sub_{suffix()}")
SESSION = CheckoutSessionId(f"cs_{suffix()}")
PURCHASE = PurchaseId(f"pur_{suffix()}")
INVOICE = InvoiceId(f"inv_{suffix()}")
PAYMENT_METHOD = PaymentMethodId(f"pmeth_{suffix()}")

AUTH = Authenticated(USER, ORGANIZATION, livemode=False)


def organization(**changes: Any) -> Organization:
    return replace(Organization(ORGANIZATION, "Acme", "acme", False, NOW), **changes)


def user(**changes: Any) -> User:
    email = "ada@acme.test"
    made = User(USER, ORGANIZATION, False, None, email, EmailKey(email), None, None, None, None, NOW)
    return replace(made, **changes)


def api_key(**changes: Any) -> ApiKey:
    made = ApiKey(ApiKeyId(f"key_{suffix()}"), ORGANIZATION, False, USER, "0" * 64, "wxyz", NOW)
    return replace(made, **changes)


def catalog_head(**changes: Any) -> CatalogHead:
    return replace(CatalogHead(CatalogId(f"cat_{suffix()}"), ORGANIZATION, False, NOW), **changes)


def pricing_model(**changes: Any) -> PricingModel:
    return replace(PricingModel(MODEL, ORGANIZATION, False, "standard", "Standard", True, NOW), **changes)


def feature(**changes: Any) -> Feature:
    made = Feature(FeatureId(f"feat_{suffix()}"), ORGANIZATION, False, "seats", "Seats", "metered", (), NOW)
    return replace(made, **changes)


def product(**changes: Any) -> Product:
    made = Product(PRODUCT, ORGANIZATION, False, MODEL, "book", "Book", "", None, False, (), NOW)
    return replace(made, **changes)


def price(**changes: Any) -> Price:
    made = Price(
        id=PRICE,
        organization_id=ORGANIZATION,
        livemode=False,
        pricing_model_id=MODEL,
        product_id=PRODUCT,
        slug="book",
        type="single_payment",
        amount=1500,
        currency="usd",
        interval=None,
        interval_count=1,
        trial_days=None,
        trial_requires_card=True,
        created_at=NOW,
    )
    return replace(made, **changes)


def customer(**changes: Any) -> Customer:
    made = Customer(
        id=CUSTOMER,
        organization_id=ORGANIZATION,
        livemode=False,
        external_id="alice",
        email="alice@example.test",
        email_key=EmailKey("alice@example.test"),
        name="Alice",
        user_id=None,
        pricing_model_id=MODEL,
        stripe_customer_id=None,
        metadata={"plan": "gold"},
        fingerprint=None,
        billing_address=Address(country="NL", city="Utrecht"),
        created_at=NOW,
    )
    return replace(made, **changes)


def subscription(**changes: Any) -> Subscription:
    made = Subscription(
        id=SUBSCRIPTION,
        organization_id=ORGANIZATION,
        livemode=False,
        customer_id=CUSTOMER,
        pricing_model_id=MODEL,
        product_id=PRODUCT,
        product_slug="book",
        group="",
        is_add_on=False,
        is_free=False,
        status="active",
        billing_anchor=NOW,
        trial_ends_at=None,
        current_period_start=NOW,
        current_period_end=None,
        payment_method_id=PAYMENT_METHOD,
        created_at=NOW,
    )
    return replace(made, **changes)


def subscription_item(**changes: Any) -> SubscriptionItem:
    item_id = SubscriptionItemId(f"si_{suffix()}")
    made = SubscriptionItem(item_id, ORGANIZATION, False, SUBSCRIPTION, PRODUCT, PRICE, 1, NOW)
    return replace(made, **changes)


def checkout_session(**changes: Any) -> CheckoutSession:
    made = CheckoutSession(
        id=SESSION,
        organization_id=ORGANIZATION,
        livemode=False,
        type="product",
        collects="payment",
        status="open",
        price_id=PRICE,
        quantity=1,
        quantities=(1,),
        amount=1500,
        currency="usd",
        customer_id=None,
        customer_email=None,
        customer_name=None,
        billing_address=None,
        success_url=None,
        cancel_url=None,
        metadata={"order": "7"},
        preserve_billing_cycle=False,
        all_subscriptions=False,
        stripe_customer_id=None,
        payment_intent_id="pi_1",
        setup_intent_id=None,
        client_secret="pi_1_secret",
        client_token="cst_1",
        purchase_id=None,
        subscription_id=None,
        expires_at=NOW + timedelta(hours=24),
        created_at=NOW,
    )
    return replace(made, **changes)


def purchase(**changes: Any) -> Purchase:
    made = Purchase(PURCHASE, ORGANIZATION, False, SESSION, CUSTOMER, PRICE, 1, 1500, "usd", "paid", NOW, NOW)
    return replace(made, **changes)


def payment(**changes: Any) -> Payment:
    made = Payment(
        id=PaymentId(f"pay_{suffix()}"),
        organization_id=ORGANIZATION,
        livemode=False,
        payment_intent_id="pi_1",
        checkout_session_id=SESSION,
        customer_id=CUSTOMER,
        purchase_id=PURCHASE,
        invoice_id=INVOICE,
        amount=1500,
        currency="usd",
        endings=("succeeded",),
        attempts=(Attempt("ch_1", "succeeded"),),
        status="succeeded",
        created_at=NOW,
    )
    return replace(made, **changes)


def payment_method(**changes: Any) -> PaymentMethod:
    made = PaymentMethod(
        PAYMENT_METHOD, ORGANIZATION, False, CUSTOMER, "pm_1", "card", "visa", "4242", 12, 2034, NOW
    )
    return replace(made, **changes)


def setup(**changes: Any) -> Setup:
    made = Setup(
        id=SetupId(f"setup_{suffix()}"),
        organization_id=ORGANIZATION,
        livemode=False,
        setup_intent_id="seti_1",
        checkout_session_id=SESSION,
        customer_id=CUSTOMER,
        payment_method_id=PAYMENT_METHOD,
        endings=("succeeded",),
        attempts=(Attempt("setatt_1", "succeeded"),),
        status="succeeded",
        created_at=NOW,
    )
    return replace(made, **changes)


def invoice(**changes: Any) -> Invoice:
    made = Invoice(
        id=INVOICE,
        organization_id=ORGANIZATION,
        livemode=False,
        customer_id=CUSTOMER,
        purchase_id=PURCHASE,
        subscription_id=None,
        period_start=None,
        period_end=None,
        billed_to=BilledTo("Alice", "alice@example.test", Address(country="NL")),
        receipt_email=None,
        currency="usd",
        lines=(InvoiceLine("Book", 1, 1500, 1500, PRICE),),
        total=1500,
        amount_paid=1500,
        amount_refunded=0,
        status="paid",
        number=1,
        payment_intent_id=None,
        charge_attempts=0,
        created_at=NOW,
        finalized_at=NOW,
        paid_at=NOW,
    )
    return replace(made, **changes)


def intake_payment(**changes: Any) -> IntakePayment:
    made = IntakePayment(
        id=IntakePaymentId(f"intake_{suffix()}"),
        organization_id=ORGANIZATION,
        livemode=False,
        status="open",
        email="Bob@example.test",
        email_key=EmailKey("bob@example.test"),
        name="Bob",
        amount=2500,
        currency="usd",
        description="Consultation",
        metadata={"matter": "7"},
        success_url="https://shop.example/thanks",
        user_id=USER,
        stripe_customer_id=None,
        payment_intent_id="pi_2",
        client_secret="pi_2_secret",
        payment_id=None,
        created_at=NOW,
    )
    return replace(made, **changes)


def asked(price: str, customer: str | None = None) -> NewProductSession:
    """A session that sells this price, to this customer or to somebody anonymous."""
    return NewProductSession(price=price, customer=customer, anonymous=customer is None)


def fact(**changes: Any) -> PaymentFact:
    made = PaymentFact("pi_1", False, 1500, "usd", organization_id=ORGANIZATION, checkout_session_id=SESSION)
    return replace(made, **changes)


def one_of_each() -> tuple[State, ...]:
    """A state of every type, each new, in an order in which all of them can be stored at once."""
    return (
        organization(),
        user(),
        api_key(),
        catalog_head(),
        pricing_model(),
        feature(),
        product(),
        price(),
        customer(),
        payment_method(),
        subscription(),
        subscription_item(),
        checkout_session(),
        purchase(),
        setup(),
        invoice(),
        intake_payment(),
        payment(),
    )
