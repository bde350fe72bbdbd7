"""/invoices/{id}: an invoice for people, to be read and printed. For whoever has its token."""

from typing import Annotated

from litestar import MediaType, Response, get
from litestar.params import QueryParameter

from application.invoices.printed import printed
from application.ports import InvoiceRepository
from domain.invoice import may_see_page
from entrypoints.http.injected import Injected
from entrypoints.http.invoices import InvoiceReference
from entrypoints.http.pages import message, page, trouble, troubles
from entrypoints.logs import tell


@get(
    "/invoices/{id:str}",
    exception_handlers={Exception: trouble},
    media_type=MediaType.HTML,
    tags=["invoices"],
    operation_id="show_invoice",
    summary="The page of an invoice, to be read and printed",
    response_description="The page",
    responses=troubles(400, 404, 500, 503),
)
async def invoice_page(
    id: InvoiceReference,
    invoices: Injected[InvoiceRepository],
    token: Annotated[str | None, QueryParameter(description="As it is in the invoice's `url`.")] = None,
) -> Response[str]:
    """What was bought, for whom and for how much, and what is paid of it. Without its token there is nothing:
    an id alone tells nobody whether there is such an invoice."""
    record = await invoices.shown_invoice(id)
    if record is None or not may_see_page(record.invoice, token or ""):
        return message("Nothing here", "There is no such invoice. Please check the link.", 404)
    tell(organization_id=record.invoice.organization_id, livemode=record.invoice.livemode)
    return page("invoice.html", {"invoice": printed(record)})
