"""What somebody who is in does about what is theirs. Whatever they name is looked for among what they see, so
that what is somebody else's is not there."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from litestar import MediaType, Response, get, post
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect
from msgspec import Meta, Struct

from application.checkout.open_checkout_session import OpenCheckoutSession
from application.ports import Clock
from application.ports.portal import PortalRepository
from application.subscriptions.cancel_subscription import CancelSubscription
from application.subscriptions.choose_payment_method import ChoosePaymentMethod
from application.subscriptions.resume_subscription import ResumeSubscription
from domain.auth import Buyer
from domain.cancellation import NewCancellation
from domain.charging import MethodChoice
from domain.checkout import CheckoutSession, NewCheckoutSession, NewPaymentMethodSession, NewProductSession
from domain.errors import DomainError, NotFound, Rejected
from domain.ids import CustomerId, InvoiceId, PaymentId, PaymentMethodId, SubscriptionId
from entrypoints.http.checkout_sessions import checkout_url
from entrypoints.http.injected import Injected
from entrypoints.http.pages import page
from entrypoints.http.portal.door import PlainForm, Slug
from entrypoints.http.portal.home import home_page, money_rows
from entrypoints.http.portal.place import Place, paths, portal_url
from entrypoints.http.portal.portal import Portal, gone_to
from entrypoints.http.requests import Call

PAGE = 50

OneCustomer = Annotated[CustomerId, PathParameter(description="a customer of theirs")]
OneSubscription = Annotated[SubscriptionId, PathParameter(description="a subscription of theirs")]
Listed = Annotated[str, PathParameter(description="invoices or payments")]
Chosen = Annotated[str, Meta(pattern=r"\A[^\x00]*\Z")]
"""What a form names; whether there is such a thing is looked up."""

_NOTICES = {
    "subscription_canceled": "This subscription has ended already.",
    "payment_method_not_found": "This payment method is not there any more.",
    "already_subscribed": "You have a subscription of this kind already.",
    "price_not_purchasable": "This is not sold any more.",
    "price_not_found": "This is not sold any more.",
}


class MethodForm(Struct, frozen=True):
    """By which payment method a subscription is to be charged."""

    form: str = ""
    payment_method: Chosen = ""


class PriceForm(Struct, frozen=True):
    """What is to be bought again."""

    form: str = ""
    price: Chosen = ""


class Desk:
    """What can be done in the portal. Each reads as the buyer, whose rows alone are there, and writes as the
    API does."""

    def __init__(
        self,
        cancel: CancelSubscription,
        resume: ResumeSubscription,
        choose: ChoosePaymentMethod,
        open_session: OpenCheckoutSession,
        public_url: Callable[[], str],
    ) -> None:
        self.cancel = cancel
        self.resume = resume
        self.choose = choose
        self._open_session = open_session
        self._public_url = public_url

    async def checkout(
        self, draft: Callable[[str], NewCheckoutSession], place: Place, buyer: Buyer, request: Call
    ) -> str:
        """Where they pay, or leave a payment method, and from where they come back here: an address of ours,
        without its host, as a browser follows a form nowhere else."""
        back = portal_url(self._public_url(), place.slug, livemode=place.livemode)
        session: CheckoutSession = await self._open_session(draft(back), buyer, request.cause)
        return checkout_url(session, "")


@post(paths("/subscriptions/{id:str}/cancel"), media_type=MediaType.HTML, status_code=200)
async def cancel(
    request: Call,
    slug: Slug,
    id: OneSubscription,
    data: URLEncodedBody[PlainForm],
    portal: Injected[Portal],
    portal_desk: Injected[Desk],
    portal_pages: Injected[PortalRepository],
    clock: Injected[Clock],
) -> Response[str] | Redirect:
    """With its period: what is paid for stays until then."""
    place = await portal.place(request, slug)
    buyer = (await portal.inside(request, place, data.form)).buyer
    done = portal_desk.cancel(id, NewCancellation(at="period_end"), buyer, request.cause)
    return await _back(done, request, place, buyer, portal, portal_pages, clock)


@post(paths("/subscriptions/{id:str}/resume"), media_type=MediaType.HTML, status_code=200)
async def resume(
    request: Call,
    slug: Slug,
    id: OneSubscription,
    data: URLEncodedBody[PlainForm],
    portal: Injected[Portal],
    portal_desk: Injected[Desk],
    portal_pages: Injected[PortalRepository],
    clock: Injected[Clock],
) -> Response[str] | Redirect:
    """It goes on after all."""
    place = await portal.place(request, slug)
    buyer = (await portal.inside(request, place, data.form)).buyer
    done = portal_desk.resume(id, buyer, request.cause)
    return await _back(done, request, place, buyer, portal, portal_pages, clock)


@post(paths("/subscriptions/{id:str}/payment-method"), media_type=MediaType.HTML, status_code=200)
async def choose_payment_method(
    request: Call,
    slug: Slug,
    id: OneSubscription,
    data: URLEncodedBody[MethodForm],
    portal: Injected[Portal],
    portal_desk: Injected[Desk],
    portal_pages: Injected[PortalRepository],
    clock: Injected[Clock],
) -> Response[str] | Redirect:
    """From now on; what is owed is charged at once."""
    place = await portal.place(request, slug)
    buyer = (await portal.inside(request, place, data.form)).buyer
    choice = MethodChoice(payment_method_id=PaymentMethodId(data.payment_method))
    done = portal_desk.choose(id, choice, buyer, request.cause)
    return await _back(done, request, place, buyer, portal, portal_pages, clock)


@post(paths("/customers/{id:str}/payment-methods"), media_type=MediaType.HTML, status_code=200)
async def add_payment_method(
    request: Call,
    slug: Slug,
    id: OneCustomer,
    data: URLEncodedBody[PlainForm],
    portal: Injected[Portal],
    portal_desk: Injected[Desk],
) -> Redirect:
    """On the page of a checkout session that asks for nothing else."""
    place = await portal.place(request, slug)
    buyer = (await portal.inside(request, place, data.form)).buyer

    def draft(back: str) -> NewCheckoutSession:
        return NewPaymentMethodSession(customer=id, success_url=back, cancel_url=back)

    return gone_to(await portal_desk.checkout(draft, place, buyer, request))


@post(paths("/customers/{id:str}/purchases"), media_type=MediaType.HTML, status_code=200)
async def buy_again(
    request: Call,
    slug: Slug,
    id: OneCustomer,
    data: URLEncodedBody[PriceForm],
    portal: Injected[Portal],
    portal_desk: Injected[Desk],
    portal_pages: Injected[PortalRepository],
    clock: Injected[Clock],
) -> Response[str] | Redirect:
    """On the page of a checkout session for it, at what it costs today."""
    place = await portal.place(request, slug)
    buyer = (await portal.inside(request, place, data.form)).buyer

    def draft(back: str) -> NewCheckoutSession:
        return NewProductSession(customer=id, price=data.price, success_url=back, cancel_url=back)

    try:
        return gone_to(await portal_desk.checkout(draft, place, buyer, request))
    except Rejected as refusal:
        return await _refused(refusal, request, place, buyer, portal, portal_pages, clock)


@get(paths("/customers/{id:str}/{listed:str}"), media_type=MediaType.HTML)
async def older(
    request: Call,
    slug: Slug,
    id: OneCustomer,
    listed: Listed,
    portal: Injected[Portal],
    portal_pages: Injected[PortalRepository],
    before: Annotated[str | None, QueryParameter(description="of the page before this one, the last")] = None,
) -> Response[str] | Redirect:
    """All invoices, or all payments, page by page."""
    place = await portal.place(request, slug)
    session = await portal.session(request, place)
    if session is None:
        return gone_to(place.path)
    last: str | None = None
    if listed == "invoices":
        invoices = await portal_pages.invoices(
            session.buyer, PAGE, InvoiceId(before) if before else None, customer=id
        )
        rows, last = money_rows(invoices), invoices[-1].id if len(invoices) == PAGE else None
    elif listed == "payments":
        payments = await portal_pages.payments(
            session.buyer, PAGE, PaymentId(before) if before else None, customer=id
        )
        rows, last = money_rows(payments), payments[-1].id if len(payments) == PAGE else None
    else:
        raise NotFound("route_not_found", "There is nothing at this address.")
    values = {"place": place, "title": listed.capitalize(), "rows": rows, "next": last}
    return page("portal_list.html", values)


async def _back(
    done: Awaitable[object],
    request: Call,
    place: Place,
    buyer: Buyer,
    portal: Portal,
    pages: PortalRepository,
    clock: Clock,
) -> Response[str] | Redirect:
    """To what is theirs, as it is now; a refusal is said there."""
    try:
        await done
    except (Rejected, NotFound) as refusal:
        return await _refused(refusal, request, place, buyer, portal, pages, clock)
    return gone_to(place.path)


async def _refused(
    refusal: DomainError,
    request: Call,
    place: Place,
    buyer: Buyer,
    portal: Portal,
    pages: PortalRepository,
    clock: Clock,
) -> Response[str]:
    notice = _NOTICES.get(refusal.code)
    if notice is None:
        raise refusal
    now = clock.now()
    seen = await pages.portal_page(buyer, now)
    return home_page(seen, place, await portal.form(request, place), now, notice=notice, status=409)
