"""What we write into the metadata of Stripe's objects, and how we know our own again.

One Stripe account may serve more than us, so an object is ours only when its marks say so
(docs.stripe.com/metadata).
"""

import re
from collections.abc import Mapping

from msgspec import Struct

from domain.checkout import CheckoutSession
from domain.effects import CreateRefund, CreateStripeCustomer
from domain.ids import (
    CheckoutSessionId,
    CustomerId,
    IntakePaymentId,
    InvoiceId,
    OrganizationId,
    RefundId,
    UserId,
    id_pattern,
)
from domain.intake_payment import IntakePayment
from domain.invoice import Invoice

_CHECKOUT_SESSION = "checkout_session"
_INVOICE = "invoice"
_INTAKE_PAYMENT = "intake_payment"
_REFUND_ID = "refund_id"


class Ownership(Struct, frozen=True):
    """Whose an intent is, as far as its marks tell; null what they do not."""

    organization_id: OrganizationId | None = None
    checkout_session_id: CheckoutSessionId | None = None
    invoice_id: InvoiceId | None = None
    intake_payment_id: IntakePaymentId | None = None


def customer_marks(
    customer: CreateStripeCustomer, organization_id: OrganizationId, *, livemode: bool
) -> dict[str, str]:
    """Whose customer this is, in which mode, and by which name, if any, the application knows it."""
    identity = _identity(customer.customer_id, organization_id, livemode=livemode)
    return identity if customer.external_id is None else {**identity, "external_id": customer.external_id}


def is_marked(
    marks: Mapping[str, str], id: CustomerId, organization_id: OrganizationId, *, livemode: bool
) -> bool:
    """Whether this is the very customer; one that differs in anything is never adopted."""
    return _identity(id, organization_id, livemode=livemode).items() <= marks.items()


def customer_query(id: CustomerId, organization_id: OrganizationId, *, livemode: bool) -> str:
    """The same question in Stripe's search language (docs.stripe.com/search#query-fields-for-customers)."""
    return _query(_identity(id, organization_id, livemode=livemode))


def user_marks(id: UserId, organization_id: OrganizationId, *, livemode: bool) -> dict[str, str]:
    """Whose account this customer pays for, in which mode, and why there is one (document 004)."""
    return {
        "user_id": id,
        "source": "platform_signup",
        "created_via": "counterfoil",
        "organization_id": organization_id,
        "livemode": _flag(livemode),
    }


def is_user(marks: Mapping[str, str], id: UserId, organization_id: OrganizationId, *, livemode: bool) -> bool:
    """Whether this is the very user; one that differs in anything is never adopted."""
    return user_marks(id, organization_id, livemode=livemode).items() <= marks.items()


def user_query(id: UserId, organization_id: OrganizationId, *, livemode: bool) -> str:
    """The same question in Stripe's search language."""
    return _query(user_marks(id, organization_id, livemode=livemode))


def session_marks(session: CheckoutSession) -> dict[str, str]:
    """Which checkout session an intent completes: a webhook needs no more to find its way into the books."""
    return {
        "organization_id": session.organization_id,
        "livemode": _flag(session.livemode),
        "checkout_session_id": session.id,
        "type": _CHECKOUT_SESSION,
    }


def invoice_marks(invoice: Invoice) -> dict[str, str]:
    """Which invoice an intent is charged for."""
    return {
        "organization_id": invoice.organization_id,
        "livemode": _flag(invoice.livemode),
        "invoice_id": invoice.id,
        "type": _INVOICE,
    }


def intake_marks(asked: IntakePayment) -> dict[str, str]:
    """Which intake payment an intent pays."""
    return {
        "organization_id": asked.organization_id,
        "livemode": _flag(asked.livemode),
        "intake_payment_id": asked.id,
        "type": _INTAKE_PAYMENT,
    }


def payer_marks(organization_id: OrganizationId, *, livemode: bool) -> dict[str, str]:
    """Whose customer somebody is of whom we know no more than an e-mail."""
    return {
        "organization_id": organization_id,
        "livemode": _flag(livemode),
        "source": _INTAKE_PAYMENT,
        "created_via": "counterfoil",
    }


def is_payer(marks: Mapping[str, str], organization_id: OrganizationId, *, livemode: bool) -> bool:
    """Whether a customer found by e-mail can be who pays: ours, and no user, who has another e-mail now."""
    tenant = {"organization_id": organization_id, "livemode": _flag(livemode)}
    return tenant.items() <= marks.items() and "user_id" not in marks


def ownership(marks: Mapping[str, str], *, livemode: bool) -> Ownership:
    """Read an intent's marks. Those of the other mode are no marks at all: a test payment that claims to be
    live, by whatever mistake, must not be taken for money.
    """
    if marks.get("livemode", _flag(livemode)) != _flag(livemode):
        return Ownership()
    organization_id = marks.get("organization_id")
    session_id = marks.get("checkout_session_id") if marks.get("type") == _CHECKOUT_SESSION else None
    invoice_id = marks.get("invoice_id") if marks.get("type") == _INVOICE else None
    intake_id = marks.get("intake_payment_id") if marks.get("type") == _INTAKE_PAYMENT else None
    return Ownership(
        OrganizationId(organization_id) if organization_id else None,
        CheckoutSessionId(session_id) if session_id else None,
        InvoiceId(invoice_id) if invoice_id else None,
        IntakePaymentId(intake_id) if intake_id else None,
    )


def customer_ownership(
    marks: Mapping[str, str], *, livemode: bool
) -> tuple[OrganizationId, CustomerId | None, UserId | None] | None:
    """Whose a customer is: of which organization, and which customer or user of it. None of one without all
    our marks, or with those of the other mode."""
    organization_id, customer_id = marks.get("organization_id"), marks.get("customer_id", "")
    user_id = marks.get("user_id", "")
    if marks.get("livemode") != _flag(livemode) or not organization_id:
        return None
    if re.match(id_pattern(CustomerId), customer_id):
        return OrganizationId(organization_id), CustomerId(customer_id), None
    if re.match(id_pattern(UserId), user_id):
        return OrganizationId(organization_id), None, UserId(user_id)
    return None


def refund_marks(refund: CreateRefund, organization_id: OrganizationId, *, livemode: bool) -> dict[str, str]:
    """Which refund of which payment this is, so that it is known again whoever tells of it."""
    return {
        "organization_id": organization_id,
        "livemode": _flag(livemode),
        "payment_id": refund.payment_id,
        _REFUND_ID: refund.refund_id,
    }


def refund_id(marks: Mapping[str, str]) -> str | None:
    """Our id of a refund that was asked for here; None of one made elsewhere, as in the dashboard."""
    named = marks.get(_REFUND_ID, "")
    return named if re.match(id_pattern(RefundId), named) else None


def _identity(id: CustomerId, organization_id: OrganizationId, *, livemode: bool) -> dict[str, str]:
    return {"customer_id": id, "organization_id": organization_id, "livemode": _flag(livemode)}


def _query(marks: Mapping[str, str]) -> str:
    return " AND ".join(f'metadata["{name}"]:"{_quoted(value)}"' for name, value in marks.items())


def _flag(livemode: bool) -> str:
    return "true" if livemode else "false"


def _quoted(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"")
