"""The page of somebody who is in: everything of theirs, and what they can do about it."""

from collections.abc import Collection, Sequence
from datetime import datetime

from litestar import Response
from msgspec import Struct

from application.invoices.printed import page_url
from application.ports import HeldPlan
from application.ports.portal import PortalCustomer, PortalPage, PortalPurchase
from domain import cancellation, plan_standing
from domain.entitlement import as_of, standing
from domain.ids import CustomerId, PriceId
from domain.intake_payment import IntakePayment
from domain.invoice import Invoice
from domain.money import display
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.usage import Line
from entrypoints.http.pages import page
from entrypoints.http.portal import words
from entrypoints.http.portal.place import Place


class HeldRow(Struct, frozen=True):
    """A subscription. `renews`: it can be canceled, and `ends_at_once` then; `ends`: that can be taken back.
    `paid_with` is given where there is nothing else to choose."""

    id: str
    product: str
    price: str
    standing: str
    is_trouble: bool
    renews: bool
    ends: bool
    ends_at_once: bool
    payment_method_id: str | None
    paid_with: str | None


class MethodRow(Struct, frozen=True):
    """A payment method."""

    id: str
    name: str
    expiry: str | None


class BalanceRow(Struct, frozen=True):
    """How much is left of a feature."""

    name: str
    left: str
    resets: str | None


class PurchaseRow(Struct, frozen=True):
    """Something bought; `price_id`, where it can be bought again."""

    product: str
    quantity: int
    date: str
    amount: str
    standing: str
    price_id: str | None


class MoneyRow(Struct, frozen=True):
    """An invoice or a payment; `name` with the `url` of its page, if it has one."""

    name: str
    date: str
    amount: str
    standing: str
    url: str | None = None


class CustomerSection(Struct, frozen=True):
    """One of their customers."""

    id: str
    heading: str
    address: str | None
    held: tuple[HeldRow, ...]
    methods: tuple[MethodRow, ...]
    balances: tuple[BalanceRow, ...]
    purchases: tuple[PurchaseRow, ...]
    invoices: tuple[MoneyRow, ...]
    payments: tuple[MoneyRow, ...]


def home_page(
    seen: PortalPage, place: Place, form: str, now: datetime, *, notice: str | None = None, status: int = 200
) -> Response[str]:
    """The page, with forms that are good for this session."""
    values = {
        "place": place,
        "email": seen.account.email if seen.account else None,
        "sections": [_section(customer, seen, now) for customer in seen.customers],
        "asked": [_asked(asked) for asked in seen.asked],
        "form": form,
        "notice": notice,
    }
    return page("portal.html", values, status, posts=True)


def can_buy_again(seen: PortalPage, customer_id: CustomerId, price: str) -> bool:
    """Whether the page has a button for it: it was bought by this customer of theirs, and is still sold."""
    known = next((one for one in seen.customers if one.overview.customer.id == customer_id), None)
    if known is None:
        return False
    return price in _buyable(known) and price in {bought.price.id for bought in known.purchases}


def money_rows(rows: Sequence[Invoice] | Sequence[Payment]) -> tuple[MoneyRow, ...]:
    """Invoices or payments, as they are listed."""
    return tuple(_invoice(row) if isinstance(row, Invoice) else _payment(row) for row in rows)


def _section(customer: PortalCustomer, seen: PortalPage, now: datetime) -> CustomerSection:
    overview = customer.overview
    known = overview.customer
    buyable = _buyable(customer)
    return CustomerSection(
        id=known.id,
        heading=words.heading_of(known),
        address=words.address_of(known.billing_address),
        held=tuple(_held(held, overview.payment_methods, now) for held in overview.held),
        methods=tuple(
            MethodRow(method.id, words.method_name(method), words.expiry_of(method))
            for method in overview.payment_methods
        ),
        balances=_balances(overview.balances, seen.features, now),
        purchases=tuple(_purchase(bought, buyable) for bought in customer.purchases),
        invoices=money_rows(overview.invoices),
        payments=money_rows(customer.payments),
    )


def _buyable(customer: PortalCustomer) -> Collection[PriceId]:
    overview = customer.overview
    plans = plan_standing.standing(
        overview.customer,
        overview.plans,
        tuple(held.record for held in overview.held),
        frozenset(used.product_id for used in overview.trials_used),
    )
    return {price.price.id for plan in plans for price in plan.prices if price.can_buy}


def _held(held: HeldPlan, methods: Sequence[PaymentMethod], now: datetime) -> HeldRow:
    subscription = held.record.subscription
    ends = subscription.cancel_at_period_end
    only = methods[0] if len(methods) == 1 else None
    is_paid_with_it = only is not None and subscription.payment_method_id == only.id
    return HeldRow(
        id=subscription.id,
        product=held.product.name,
        price=words.price_of(held),
        standing=words.standing_of(subscription, cancels=ends),
        is_trouble=subscription.status in ("past_due", "incomplete"),
        renews=not subscription.is_free and not ends,
        ends=ends,
        ends_at_once=cancellation.ends_at_once(subscription, now),
        payment_method_id=None if subscription.is_free else subscription.payment_method_id or "",
        paid_with=words.method_name(only) if only is not None and is_paid_with_it else None,
    )


def _balances(lines: Sequence[Line], names: dict[str, str], now: datetime) -> tuple[BalanceRow, ...]:
    current = as_of(lines, now)
    rows = []
    for slug in dict.fromkeys(line.balance.feature for line in current):
        stands = standing(slug, [line for line in current if line.balance.feature == slug])
        if stands is not None:
            resets = f"new on {words.day(stands.resets_at)}" if stands.resets_at else None
            rows.append(BalanceRow(names.get(slug, slug), words.left_of(stands), resets))
    return tuple(rows)


def _purchase(bought: PortalPurchase, buyable: Collection[str]) -> PurchaseRow:
    purchase = bought.purchase
    return PurchaseRow(
        product=bought.product.name,
        quantity=purchase.quantity,
        date=words.day(purchase.created_at),
        amount=display(purchase.amount, purchase.currency),
        standing=words.PURCHASE[purchase.status],
        price_id=bought.price.id if bought.price.id in buyable else None,
    )


def _invoice(invoice: Invoice) -> MoneyRow:
    return MoneyRow(
        name=f"Invoice {invoice.number}" if invoice.number is not None else "Invoice",
        date=words.day(invoice.finalized_at or invoice.created_at),
        amount=display(invoice.total, invoice.currency),
        standing=words.INVOICE[invoice.status],
        url=page_url(invoice, ""),
    )


def _asked(asked: IntakePayment) -> MoneyRow:
    """What was asked by e-mail, with the page where it is paid, as long as it can be."""
    return MoneyRow(
        name=asked.description,
        date=words.day(asked.created_at),
        amount=display(asked.amount, asked.currency),
        standing=words.ASKED[asked.status],
        url=f"/pay/{asked.id}" if asked.is_payable else None,
    )


def _payment(payment: Payment) -> MoneyRow:
    return MoneyRow(
        name="Payment",
        date=words.day(payment.created_at),
        amount=display(payment.amount, payment.currency),
        standing=words.payment_status(payment),
    )
