"""POST /v1/customers/{reference}/portal-link"""

from datetime import datetime

from litestar import Controller, post
from msgspec import Struct

from application.operator_ports import Organizations
from application.portal.links import MakePortalLink
from domain.errors import NotFound
from domain.ids import CustomerId
from entrypoints.http.customers import Reference
from entrypoints.http.injected import Injected
from entrypoints.http.portal.place import portal_url
from entrypoints.http.refusals import KEYED, WITH_ID, refusals
from entrypoints.http.requests import Call


class PortalLinkReply(Struct, frozen=True):
    """`url` lets whoever opens it into the customer's billing portal, once, until `expires_at`: show it to
    that customer and to nobody else, and do not keep it."""

    url: str
    customer_id: CustomerId
    expires_at: datetime


class PortalLinkController(Controller):
    """How an application lets its customers into the billing portal."""

    path = "/customers"
    tags = ("customers",)

    @post(
        "/{reference:str}/portal-link",
        operation_id="create_portal_link",
        summary="A link that lets a customer into the billing portal, once",
        response_description="The link",
        responses=refusals(KEYED, WITH_ID, {404: ("customer_not_found",)}),
    )
    async def create(
        self,
        request: Call,
        reference: Reference,
        make_portal_link: Injected[MakePortalLink],
        organizations: Injected[Organizations],
        public_url: Injected[str],
    ) -> PortalLinkReply:
        """For a buyer whom your application has authenticated: they see this customer, and no other one, also
        where an account has several. Each call makes another link, with or without an `Idempotency-Key`."""
        made = await make_portal_link(reference, request.auth)
        organization = await organizations.organization(request.auth)
        if organization is None:
            raise NotFound("customer_not_found", "There is no such customer.")
        place = portal_url(public_url, organization.slug, livemode=request.auth.livemode)
        return PortalLinkReply(f"{place}/link/{made.secret}", made.link.customer_id, made.link.expires_at)
