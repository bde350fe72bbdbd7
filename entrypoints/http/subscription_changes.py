"""/v1/subscriptions/{id}: canceled, resumed, and charged by another means of payment."""

from litestar import Controller, HttpMethod, Response, patch, post, route
from litestar.params import JSONBody

from application.subscriptions.cancel_subscription import CancelSubscription
from application.subscriptions.choose_payment_method import ChoosePaymentMethod
from application.subscriptions.resume_subscription import ResumeSubscription
from domain.cancellation import NewCancellation
from domain.charging import MethodChoice
from entrypoints.http.bodies import JsonBody
from entrypoints.http.idempotency import Once
from entrypoints.http.injected import Injected
from entrypoints.http.refusals import KEYED, NAMED, WITH_BODY, WITH_ID, WRITING, Codes, refusals
from entrypoints.http.requests import Call
from entrypoints.http.subscriptions import NOT_THERE, SubscriptionReference, SubscriptionWithItems

_HAS_ENDED: Codes = {409: ("subscription_canceled",)}


class SubscriptionChangesController(Controller):
    """What becomes of subscriptions."""

    path = "/subscriptions"
    tags = ("subscriptions",)

    @patch(
        "/{id:str}",
        dto=JsonBody[MethodChoice],
        return_dto=None,
        operation_id="update_subscription",
        summary="Choose by what a subscription is charged",
        response_description="The subscription as it is now",
        responses=refusals(
            KEYED,
            WITH_BODY,
            WITH_ID,
            NOT_THERE,
            WRITING,
            _HAS_ENDED,
            {422: ("payment_method_not_found",)},
        ),
    )
    async def update(
        self,
        request: Call,
        id: SubscriptionReference,
        data: JSONBody[MethodChoice],
        choose_payment_method: Injected[ChoosePaymentMethod],
    ) -> SubscriptionWithItems:
        """A means of payment that its customer has left before. If it is another one than until now, whatever
        is owed for the subscription is charged by it soon after."""
        (record,) = await choose_payment_method(id, data, request.auth, request.cause)
        return SubscriptionWithItems.of(record)

    @post(
        "/{id:str}/cancel",
        status_code=200,
        dto=JsonBody[NewCancellation],
        return_dto=None,
        operation_id="cancel_subscription",
        summary="Cancel a subscription",
        response_description="The subscription, which ends with its period, or has ended",
        responses=refusals(KEYED, WITH_BODY, WITH_ID, NOT_THERE, WRITING, NAMED, _HAS_ENDED),
    )
    async def cancel(
        self,
        request: Call,
        id: SubscriptionReference,
        data: JSONBody[NewCancellation],
        cancel_subscription: Injected[Once[CancelSubscription]],
    ) -> Response[SubscriptionWithItems]:
        """It ends with its current period or trial, and nothing is billed then; `at: "now"`, or without a
        period that is running, it ends at once. Nothing is given back by itself. What was never paid for is
        not charged any more."""
        return await cancel_subscription(
            request,
            lambda cause: cancel_subscription.use_case(id, data, request.auth, cause),
            lambda record: (200, SubscriptionWithItems.of(record)),
        )

    @post(
        "/{id:str}/resume",
        status_code=200,
        operation_id="resume_subscription",
        summary="Keep a subscription that was to end",
        response_description="The subscription, which goes on",
        responses=refusals(KEYED, WITH_ID, NOT_THERE, WRITING, NAMED, _HAS_ENDED),
    )
    async def resume(
        self,
        request: Call,
        id: SubscriptionReference,
        resume_subscription: Injected[Once[ResumeSubscription]],
    ) -> Response[SubscriptionWithItems]:
        """It does not end with its period any more. One that was not to end is answered as it is."""
        return await resume_subscription(
            request,
            lambda cause: resume_subscription.use_case(id, request.auth, cause),
            lambda record: (200, SubscriptionWithItems.of(record)),
        )

    @route(
        "/{id:str}",
        http_method=HttpMethod.OPTIONS,
        status_code=204,
        include_in_schema=False,
        sync_to_thread=False,
    )
    def methods(self) -> Response[None]:
        """Litestar's own answer to OPTIONS knows only one of the handlers of this address."""
        return Response(None, headers={"Allow": "GET, OPTIONS, PATCH"})
