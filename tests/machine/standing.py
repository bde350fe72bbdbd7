"""What the facts of a payment come to, said once more and otherwise than the code does (design, rule 9)."""

from domain.checkout import CheckoutSession
from domain.payment import Payment
from domain.purchase import Purchase
from tests.application.promises import of_kind
from tests.machine.books import Everything

# By what outranks what: payment, session, purchase.
_RANKS = (
    ("succeeded", "succeeded", "succeeded", "paid"),
    ("canceled", "canceled", "failed", "failed"),
    ("pending", "processing", "pending", "pending"),
    ("failed", "failed", "open", "open"),
)


def check_standing(found: Everything) -> None:
    """Payment, session and purchase stand as the highest of the facts says, whenever it was said."""
    sessions = {session.id: session for session in of_kind(found, CheckoutSession)}
    purchases = {purchase.id: purchase for purchase in of_kind(found, Purchase)}
    for payment in of_kind(found, Payment):
        facts = {*payment.endings, *(attempt.status for attempt in payment.attempts)}
        _, paid, asked, bought = next(rank for rank in _RANKS if rank[0] in facts)
        assert payment.status == paid, payment
        session = sessions[payment.checkout_session_id]
        assert session.status == asked or (session.status == "expired" and asked != "succeeded"), session
        if payment.purchase_id is not None:
            assert purchases[payment.purchase_id].status == bought, purchases[payment.purchase_id]
