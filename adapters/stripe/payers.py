"""Who pays what is asked by e-mail, as Stripe knows them."""

from msgspec import Struct
from stripe.params import CustomerCreateParams, CustomerListParams

from adapters.stripe.connection import StripeConnection, read_as
from adapters.stripe.marks import is_payer, payer_marks
from adapters.stripe.refusals import in_our_words
from domain.ids import OrganizationId


class _Made(Struct):
    id: str


class _Customer(Struct):
    id: str
    metadata: dict[str, str] = {}


class _Page(Struct):
    data: list[_Customer]
    has_more: bool = False


class PayerCalls(StripeConnection):
    """What PaymentGateway promises of payers."""

    async def find_payer(self, email: str, *, organization_id: OrganizationId, livemode: bool) -> str | None:
        """docs.stripe.com/api/customers/list: exact, newest first, and unlike a search never behind."""
        ours: list[_Customer] = []
        params: CustomerListParams = {"email": email, "limit": 100}
        while True:
            with in_our_words(livemode=livemode):
                listed = await self.client(livemode).v1.customers.list_async(params)
                page = read_as(listed, _Page)
            ours += [
                known for known in page.data if is_payer(known.metadata, organization_id, livemode=livemode)
            ]
            if not page.has_more:
                break
            params["starting_after"] = page.data[-1].id
        return ours[-1].id if ours else None

    async def create_payer(
        self, email: str, *, organization_id: OrganizationId, livemode: bool, idempotency_key: str
    ) -> str:
        """docs.stripe.com/api/customers/create"""
        params: CustomerCreateParams = {
            "email": email,
            "metadata": payer_marks(organization_id, livemode=livemode),
        }
        with in_our_words(livemode=livemode):
            made = await self.client(livemode).v1.customers.create_async(
                params, {"idempotency_key": idempotency_key}
            )
            return read_as(made, _Made).id
