"""docs.stripe.com/api/customers"""

from msgspec import UNSET, UnsetType

from adapters.sandbox.errors import JsonObject, invalid, no_such, not_found
from adapters.sandbox.lists import newest_first, page
from adapters.sandbox.parameters import (
    AddressGiven,
    Cleared,
    ListParameters,
    MetadataGiven,
    Parameters,
    ShippingGiven,
    Text,
    assign,
)
from adapters.sandbox.resources.attachment import detach
from adapters.sandbox.search import Fields, SearchParameters, search
from adapters.sandbox.state import Account

_FIELDS = ("address", "description", "email", "metadata", "name", "phone", "preferred_locales", "shipping")

_SEARCHED: Fields = {"created": "numeric", "email": "string", "name": "string", "phone": "string"}


class CustomerParameters(Parameters):
    """For creating and for updating: what is not given stays."""

    address: AddressGiven | Cleared | UnsetType = UNSET
    description: Text = UNSET
    email: Text = UNSET
    metadata: MetadataGiven = UNSET
    name: Text = UNSET
    phone: Text = UNSET
    preferred_locales: list[str] | UnsetType = UNSET
    shipping: ShippingGiven | Cleared | UnsetType = UNSET


class ListCustomers(ListParameters):
    """The e-mail is compared exactly, case included."""

    email: str | None = None


def create_customer(account: Account, given: CustomerParameters) -> JsonObject:
    """Nothing is unique: the same e-mail twice makes two customers."""
    customer = _blank(account)
    _assign(customer, given)
    account.books.customers[customer["id"]] = customer
    account.announce("customer.created", customer)
    return customer


def retrieve_customer(account: Account, _: Parameters, id: str) -> JsonObject:
    """A deleted customer is still found, as `{"deleted": true}`."""
    customer = account.books.customers.get(id)
    if customer is None:
        raise not_found("customer", id)
    return customer


def update_customer(account: Account, given: CustomerParameters, id: str) -> JsonObject:
    """An update that changes nothing announces nothing."""
    customer = retrieve_customer(account, given, id)
    if customer.get("deleted"):
        raise not_found("customer", id)
    previous = _assign(customer, given)
    if previous:
        account.announce("customer.updated", customer, previous)
    return customer


def delete_customer(account: Account, given: Parameters, id: str) -> JsonObject:
    """Gone for good, and the payment methods detached (docs.stripe.com/api/customers/delete)."""
    customer = retrieve_customer(account, given, id)
    if customer.get("deleted"):
        raise not_found("customer", id)
    account.announce("customer.deleted", customer)
    deleted: JsonObject = {"id": id, "object": "customer", "deleted": True}
    account.books.customers[id] = deleted
    for method in account.books.payment_methods.values():
        if method["customer"] == id:
            detach(account, method)
    return deleted


def list_customers(account: Account, asked: ListCustomers) -> JsonObject:
    """Deleted customers are not listed."""
    found = (
        customer
        for customer in newest_first(account.books.customers)
        if not customer.get("deleted") and asked.email in (None, customer["email"])
    )
    return page("/v1/customers", found, asked)


def search_customers(account: Account, asked: SearchParameters) -> JsonObject:
    """docs.stripe.com/search#query-fields-for-customers"""
    known = newest_first(account.searchable("customers"))
    living = [customer for customer in known if not customer.get("deleted")]
    return search("/v1/customers/search", living, asked, _SEARCHED)


def living_customer(account: Account, id: str, param: str = "customer") -> JsonObject:
    """The customer another object is to belong to."""
    customer = account.books.customers.get(id)
    if customer is None or customer.get("deleted"):
        raise no_such("customer", id, param)
    return customer


def _assign(customer: JsonObject, given: CustomerParameters) -> JsonObject:
    if isinstance(given.email, str) and given.email and "@" not in given.email:
        raise invalid(f"Invalid email address: {given.email}", "email", "email_invalid")
    return assign(customer, given, _FIELDS)


def _blank(account: Account) -> JsonObject:
    return {
        "id": account.new_id("cus", 14),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": account.now(),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": account.letters(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
