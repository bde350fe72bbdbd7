"""/v1/attach"""

from litestar import Response, post
from litestar.params import JSONBody
from msgspec import Struct

from application.checkout.attach_product import Attached, AttachProduct
from domain.attaching import NewAttachment
from domain.ids import CheckoutSessionId, CustomerId, PurchaseId
from entrypoints.http.bodies import JsonBody
from entrypoints.http.checkout_sessions import CANNOT_BE_SOLD, checkout_url
from entrypoints.http.customers import CANNOT_BE_MADE
from entrypoints.http.idempotency import Once
from entrypoints.http.injected import Injected
from entrypoints.http.refusals import KEYED, NAMED, PROVIDER_ASKED, WITH_BODY, WRITING, Codes, refusals
from entrypoints.http.requests import Call
from entrypoints.http.subscriptions import SubscriptionWithItems

_CANNOT_BE_ATTACHED: Codes = {
    404: ("customer_not_found", "entity_not_found"),
    422: ("product_or_price", "product_not_found", "price_required"),
    502: ("payment_provider_refused",),
    **PROVIDER_ASKED,
}
_CANNOT_BE_SOLD: Codes = {
    status: tuple(code for code in codes if code != "customer_not_found")
    for status, codes in CANNOT_BE_SOLD.items()
}


class AttachReply(Struct, frozen=True, kw_only=True):
    """What became of it. `checkout_url` is where the customer goes to get it; null where they have it now:
    then `purchase_id` says what was bought for nothing and, if that is one, `subscription` what they have by
    it.
    """

    customer_id: CustomerId
    checkout_url: str | None
    checkout_session_id: CheckoutSessionId
    subscription: SubscriptionWithItems | None
    purchase_id: PurchaseId | None

    @classmethod
    def of(cls, attached: Attached, public_url: str) -> "AttachReply":
        """The outcome, as it is published."""
        session, subscription = attached.session, attached.subscription
        return cls(
            customer_id=attached.customer_id,
            checkout_url=None if session.is_free else checkout_url(session, public_url),
            checkout_session_id=session.id,
            subscription=SubscriptionWithItems.of(subscription) if subscription else None,
            purchase_id=session.purchase_id,
        )


@post(
    "/attach",
    status_code=200,
    dto=JsonBody[NewAttachment],
    return_dto=None,
    tags=["attach"],
    operation_id="attach",
    summary="Give a customer a product, at once or by a checkout",
    response_description="What they have now, or where they get it",
    responses=refusals(
        KEYED, WITH_BODY, WRITING, NAMED, _CANNOT_BE_SOLD, CANNOT_BE_MADE, _CANNOT_BE_ATTACHED
    ),
)
async def attach(
    request: Call,
    data: JSONBody[NewAttachment],
    attach_product: Injected[Once[AttachProduct]],
    public_url: Injected[str],
) -> Response[AttachReply]:
    """At once where there is nothing to collect: what is free, or begins with a trial that needs no card.
    Else a checkout session is opened, with the intent that completes it. A customer who is not known yet is
    made of `customer_data`."""
    use_case = attach_product.use_case
    return await attach_product(
        request,
        lambda cause: use_case(data, request.auth, cause),
        lambda attached: (200, AttachReply.of(attached, public_url)),
        lambda begun, cause: use_case.resume(begun, request.auth, cause),
    )
