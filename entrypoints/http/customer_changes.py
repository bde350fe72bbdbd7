"""/v1/customers/{reference}: changed, and deleted."""

from datetime import datetime
from typing import Annotated, Literal

from litestar import Controller, HttpMethod, Response, delete, patch, route
from litestar.params import JSONBody, QueryParameter
from msgspec import Struct

from application.customers.delete_customer import DeleteCustomer
from application.customers.update_customer import UpdateCustomer
from domain.customer_changes import CustomerChanges
from domain.ids import CustomerId
from entrypoints.http.bodies import JsonBody
from entrypoints.http.customers import CustomerReply, Reference
from entrypoints.http.injected import Injected
from entrypoints.http.refusals import KEYED, WITH_BODY, WITH_ID, WRITING, Codes, refusals
from entrypoints.http.requests import Call

_NOT_THERE: Codes = {404: ("customer_not_found",)}


class CustomerDeletedReply(Struct, frozen=True, kw_only=True):
    """The customer is anonymous, and found by no id any more. What they have bought and paid stays."""

    id: CustomerId
    deleted: Literal[True]
    deleted_at: datetime


class CustomerChangesController(Controller):
    """What becomes of customers."""

    path = "/customers"
    tags = ("customers",)

    @patch(
        "/{reference:str}",
        dto=JsonBody[CustomerChanges],
        return_dto=None,
        operation_id="update_customer",
        summary="Change a customer",
        response_description="The customer as it is now",
        responses=refusals(
            KEYED,
            WITH_BODY,
            WITH_ID,
            _NOT_THERE,
            WRITING,
            {
                409: ("external_id_taken", "email_taken"),
                422: ("invalid_external_id", "email_required"),
            },
        ),
    )
    async def update(
        self,
        request: Call,
        reference: Reference,
        data: JSONBody[CustomerChanges],
        update_customer: Injected[UpdateCustomer],
    ) -> CustomerReply:
        """What is left out stays, and null clears. Stripe is told of another name, e-mail or external id soon
        after."""
        record = await update_customer(reference, data, request.auth, request.cause)
        return CustomerReply.of(record)

    @delete(
        "/{reference:str}",
        status_code=200,
        operation_id="delete_customer",
        summary="Make a customer anonymous",
        response_description="Who was deleted",
        responses=refusals(KEYED, WITH_ID, _NOT_THERE, WRITING, {422: ("wrong_type",)}),
    )
    async def remove(
        self,
        request: Call,
        reference: Reference,
        delete_customer: Injected[DeleteCustomer],
        delete_in_stripe: Annotated[
            bool, QueryParameter(description="Have Stripe delete the customer, too, soon after.")
        ] = False,
    ) -> CustomerDeletedReply:
        """What identifies them is removed wherever it stands: also from past events and kept replies. Their
        subscriptions are canceled and their open checkout sessions expire. Payments, purchases and invoices
        stay, without a name. The external id and the e-mail are free for somebody else."""
        gone = await delete_customer(reference, request.auth, request.cause, in_stripe=delete_in_stripe)
        return CustomerDeletedReply(id=gone.id, deleted=True, deleted_at=gone.deleted_at)

    @route(
        "/{reference:str}",
        http_method=HttpMethod.OPTIONS,
        status_code=204,
        include_in_schema=False,
        sync_to_thread=False,
    )
    def methods(self) -> Response[None]:
        """Litestar's own answer to OPTIONS knows only one of the handlers of this address."""
        return Response(None, headers={"Allow": "DELETE, GET, OPTIONS, PATCH"})
