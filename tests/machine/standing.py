"""What the facts of a payment or a setup come to, said once more and otherwise than the code
does (design, rule 9)."""

from domain.checkout import CheckoutSession
from domain.effects import EndCheckoutSession
from domain.payment import Payment
from domain.purchase import Purchase
from domain.setup import Setup
from tests.application.promises import of_kind
from tests.machine.books import Everything

# By what outranks what: payment, session, purchase.
_RANKS = (
    ("succeeded", "succeeded", "succeeded", "paid"),
    ("canceled", "canceled", "failed", "failed"),
    ("abandoned", "canceled", "expired", "failed"),
    ("pending", "processing", "pending", "pending"),
    ("failed", "failed", "open", "open"),
)


def check_standing(found: Everything) -> None:
    """Payment, session and purchase stand as the highest of the facts says, whenever it was said; and what
    can still be paid will end."""
    sessions = {session.id: session for session in of_kind(found, CheckoutSession)}
    ends = {
        task.effect.checkout_session_id for task in found.tasks if isinstance(task.effect, EndCheckoutSession)
    }
    for session in sessions.values():
        assert session.status != "open" or session.id in ends, session
    for setup in of_kind(found, Setup):
        facts = {*setup.endings, *(attempt.status for attempt in setup.attempts)}
        _, left, asked, _ = next(rank for rank in _RANKS if rank[0] in facts)
        session = sessions[setup.checkout_session_id]
        assert setup.status == left, setup
        assert session.status == asked or (session.status, asked) == ("expired", "open"), session
    purchases = {purchase.id: purchase for purchase in of_kind(found, Purchase)}
    for payment in of_kind(found, Payment):
        facts = {*payment.endings, *(attempt.status for attempt in payment.attempts)}
        _, paid, asked, bought = next(rank for rank in _RANKS if rank[0] in facts)
        assert payment.status == paid, payment
        if payment.checkout_session_id is None:
            continue
        session = sessions[payment.checkout_session_id]
        assert session.status == asked or (session.status, asked) == ("expired", "open"), session
        # Another session may be the one that pays the purchase now.
        is_paying = payment.purchase_id and purchases[payment.purchase_id].checkout_session_id == session.id
        if payment.purchase_id is not None and is_paying:
            if bought == "paid" and (back := payment.refunded_amount):
                bought = "refunded" if back >= payment.amount else "partially_refunded"
            assert purchases[payment.purchase_id].status == bought, purchases[payment.purchase_id]


def check_numbers(found: Everything) -> None:
    """Each tenant's events are numbered from 1, without gaps."""
    numbers: dict[tuple[str, bool], list[int]] = {}
    for event in found.events:
        if event.sequence is not None:
            numbers.setdefault((event.organization_id, event.livemode), []).append(event.sequence)
    for tenant, given in numbers.items():
        assert given == list(range(1, len(given) + 1)), f"{tenant} has a gap: {given}"
