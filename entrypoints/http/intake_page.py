"""/pay/{id}: where somebody pays what they were asked for by e-mail. Public, and for people.

It shows what is asked and by whom, and nothing of an account that the e-mail may belong to: no address, no
name, no means of payment that was kept.
"""

from litestar import MediaType, Response, get
from litestar.openapi import ResponseSpec
from litestar.response import Redirect

from application.payments.news import PayerReturned
from application.payments.process_payment_intent import ProcessPaymentIntent
from application.ports import Bill, IntakeRepository
from domain.intake_payment import IntakePayment
from domain.money import display
from entrypoints.http.checkout_words import Words
from entrypoints.http.desks import TO_PAY, Desks
from entrypoints.http.injected import Injected
from entrypoints.http.intake_payments import IntakeReference, intake_payment_not_found
from entrypoints.http.pages import Link, message, page, safely, trouble, troubles
from entrypoints.http.requests import Call
from entrypoints.logs import tell

_STANDING = {
    "succeeded": ("Payment received", "Thank you. Your payment has arrived; you can close this page."),
    "processing": ("Payment under way", "Thank you. Your payment is being processed; nothing is left to do."),
    "canceled": ("Payment canceled", "This payment was canceled, and nothing was charged."),
    "failed": ("Not paid yet", "The payment has not gone through. You can go back and try again."),
    "open": ("Not paid yet", "The payment has not gone through. You can go back and try again."),
}
"""What the payer is told, by how it stands."""

_MARKED_AS = {"processing": "pending", "canceled": "failed"}
"""The mark beside the heading, as on the page of a checkout."""


@get(
    "/pay/{id:str}",
    exception_handlers={Exception: trouble},
    media_type=MediaType.HTML,
    tags=["checkout"],
    operation_id="show_intake_payment",
    summary="The page where somebody pays what they were asked for",
    response_description="The page",
    responses=troubles(400, 404, 500, 503),
)
async def intake_page(
    id: IntakeReference, intakes: Injected[IntakeRepository], desks: Injected[Desks]
) -> Response[str]:
    """Who asks, for what and how much, and whether it is paid; while it can be, the form that pays it."""
    bill = await intakes.bill(id)
    if bill is None:
        raise intake_payment_not_found()
    asked = bill.asked
    tell(organization_id=asked.organization_id, livemode=asked.livemode)
    if not asked.is_payable:
        heading, text = _STANDING[asked.status]
        told = {"heading": heading, "text": text, "link": _back(asked)}
        return page("checkout.html", _shown(bill) | told)
    desk = desks.of(livemode=asked.livemode, client_secret=asked.client_secret)
    if desk is None:
        told = {"text": "This cannot be paid on this page. Please ask the seller."}
        return page("checkout.html", _shown(bill) | told)
    script, mode = desk
    paying = {
        "form": "payment.html",
        "mode": mode,
        "intents": "payment_intents",
        "intent": asked.payment_intent_id,
        "secret": asked.client_secret,
        "test_cards": TO_PAY if mode.api_base else (),
        "refusal": bill.refusal,
    }
    return page("checkout.html", _shown(bill) | paying, script=script)


def _shown(bill: Bill) -> dict[str, object]:
    asked = bill.asked
    amount = display(asked.amount, asked.currency)
    return {
        "form": None,
        "changes": False,
        "livemode": asked.livemode,
        "words": Words(
            "Your payment", None, "Payment details", "Pay with a test card", f"Pay {amount}", "Paying…"
        ),
        "status": _MARKED_AS.get(asked.status, asked.status) if not asked.is_payable else "open",
        "heading": "Your payment",
        "text": None,
        "link": None,
        "seller": bill.seller,
        "product": asked.description,
        "quantity": 1,
        "amount": amount,
        "period": None,
        "deadline": None,
    }


def _back(asked: IntakePayment) -> Link | None:
    is_done = asked.status in ("succeeded", "processing")
    return Link(asked.success_url, "Back to the seller") if is_done and asked.success_url else None


@get(
    "/pay/{id:str}/return",
    exception_handlers={Exception: trouble},
    media_type=MediaType.HTML,
    tags=["checkout"],
    operation_id="return_from_intake_payment",
    summary="Where the payer's browser comes back to",
    response_description="How the payment stands, where there is no address to send the payer on to",
    responses={
        303: ResponseSpec(None, description="The payer is sent on to the seller"),
        **troubles(400, 404, 409, 422, 500, 502, 503),
    },
)
async def return_from_intake(
    request: Call, id: IntakeReference, process_payment_intent: Injected[ProcessPaymentIntent]
) -> Response[str]:
    """Stripe is asked how it went; what the address says about it is not believed."""
    booked = await process_payment_intent(PayerReturned(id, request.cause))
    asked = booked.asked
    if asked is None:
        raise intake_payment_not_found()
    tell(organization_id=asked.organization_id, livemode=asked.livemode)
    if (back := _back(asked)) is not None:
        return Redirect(back.to, status_code=303, headers=safely())
    again = Link(f"../{asked.id}", "Try again") if asked.is_payable else None
    return message(*_STANDING[asked.status], link=again)
