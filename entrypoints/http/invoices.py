"""/v1/invoices"""

from typing import Annotated

from litestar import Controller, get
from litestar.params import PathParameter, QueryParameter
from msgspec import Struct
from msgspec.structs import asdict

from application.invoices.printed import page_url
from application.ports import InvoiceRecord, InvoiceRepository
from application.views import InvoiceView, view_of
from domain.errors import NotFound
from domain.ids import InvoiceId, PaymentId, id_pattern
from domain.invoice import Invoice, InvoiceStatus
from entrypoints.http.injected import Injected
from entrypoints.http.paging import OF_CUSTOMER, PAGED, Limit, OfCustomer, cursor_of, next_cursor
from entrypoints.http.refusals import KEYED, WITH_ID, refusals
from entrypoints.http.requests import Call

InvoiceReference = Annotated[
    InvoiceId, PathParameter(pattern=id_pattern(InvoiceId), description="the invoice's id")
]


class InvoiceReply(InvoiceView, frozen=True, kw_only=True):
    """An invoice, and where a person can see and print it: `url` has a secret in it, and is null until the
    invoice has its number.
    """

    url: str | None

    @classmethod
    def of(cls, invoice: Invoice, public_url: str) -> "InvoiceReply":
        """The invoice, as it is published."""
        return cls(**asdict(view_of(invoice)), url=page_url(invoice, public_url))


class InvoiceWithPayments(InvoiceReply, frozen=True, kw_only=True):
    """An invoice, with the ids of the payments made for it, oldest first."""

    payments: tuple[PaymentId, ...]

    @classmethod
    def with_payments(cls, record: InvoiceRecord, public_url: str) -> "InvoiceWithPayments":
        """The invoice, as it is published."""
        invoice = record.invoice
        url = page_url(invoice, public_url)
        return cls(**asdict(view_of(invoice)), url=url, payments=record.payments)


class InvoicePage(Struct, frozen=True):
    """`next_cursor` is the `cursor` of the next page; null when this one was not full."""

    data: tuple[InvoiceReply, ...]
    next_cursor: InvoiceId | None


class InvoiceController(Controller):
    """What was billed."""

    path = "/invoices"
    tags = ("invoices",)

    @get(
        operation_id="list_invoices",
        summary="Invoices, newest first",
        response_description="A page of invoices",
        responses=refusals(PAGED, OF_CUSTOMER),
    )
    async def page(
        self,
        request: Call,
        invoices: Injected[InvoiceRepository],
        public_url: Injected[str],
        limit: Limit = 50,
        cursor: Annotated[InvoiceId | None, cursor_of(InvoiceId)] = None,
        customer: OfCustomer = None,
        status: Annotated[
            InvoiceStatus | None, QueryParameter(description="Only those that stand like this.")
        ] = None,
    ) -> InvoicePage:
        """Those of the key's organization and mode; of one customer, or with one status, if that is asked
        for."""
        found = await invoices.invoices(request.auth, limit, cursor, customer=customer, status=status)
        data = tuple(InvoiceReply.of(invoice, public_url) for invoice in found)
        return InvoicePage(data, next_cursor(found, limit))

    @get(
        "/{id:str}",
        operation_id="get_invoice",
        summary="An invoice, by id",
        response_description="The invoice",
        responses=refusals(KEYED, WITH_ID, {404: ("invoice_not_found",)}),
    )
    async def read(
        self,
        request: Call,
        id: InvoiceReference,
        invoices: Injected[InvoiceRepository],
        public_url: Injected[str],
    ) -> InvoiceWithPayments:
        """As it stands now, with its lines."""
        record = await invoices.invoice(request.auth, id)
        if record is None:
            raise NotFound("invoice_not_found", "There is no such invoice.")
        return InvoiceWithPayments.with_payments(record, public_url)
