"""docs.stripe.com/api/payment_methods"""

import msgspec

from adapters.sandbox.errors import JsonObject, invalid, not_found
from adapters.sandbox.lists import newest_first, page
from adapters.sandbox.parameters import ListParameters, Parameters
from adapters.sandbox.resources.attachment import attach, check_usable, detach
from adapters.sandbox.resources.cards import TOKENS, card_error
from adapters.sandbox.resources.customers import living_customer
from adapters.sandbox.resources.instruments import (
    PaymentMethodGiven,
    PaymentMethodType,
    behaviour,
    described,
    named,
)
from adapters.sandbox.state import Account


class CreatePaymentMethod(PaymentMethodGiven):
    """docs.stripe.com/api/payment_methods/create"""

    expand: list[str] = msgspec.field(default_factory=list)


class AttachPaymentMethod(Parameters):
    """docs.stripe.com/api/payment_methods/attach"""

    customer: str


class ListPaymentMethods(ListParameters):
    """docs.stripe.com/api/payment_methods/list"""

    customer: str | None = None
    type: PaymentMethodType | None = None


def create_payment_method(account: Account, given: CreatePaymentMethod) -> JsonObject:
    """Nothing is charged or attached yet."""
    return described(account, given)


def retrieve_payment_method(account: Account, _: Parameters, id: str) -> JsonObject:
    """A fixed token such as `pm_card_visa` gives a fresh payment method."""
    if id not in TOKENS and id not in account.books.payment_methods:
        raise not_found("PaymentMethod", id, "payment_method")
    return named(account, id)


def attach_payment_method(account: Account, given: AttachPaymentMethod, id: str) -> JsonObject:
    """Cards that decline do so here already, but for 4000…0341 (docs.stripe.com/testing)."""
    customer = living_customer(account, given.customer)
    method = retrieve_payment_method(account, given, id)
    if method["customer"] not in (None, customer["id"]):
        raise invalid(
            "The payment method you provided has already been attached to a customer.", "payment_method"
        )
    check_usable(account, method)
    behind = behaviour(account, method)
    if behind.decline is not None and not behind.attachable:
        raise card_error(behind.decline)
    attach(account, method, customer["id"])
    return method


def detach_payment_method(account: Account, given: Parameters, id: str) -> JsonObject:
    """It can neither be used again nor attached again (docs.stripe.com/api/payment_methods/detach)."""
    method = retrieve_payment_method(account, given, id)
    if method["customer"] is None:
        raise invalid(
            "The payment method you provided is not attached to a customer so detachment is impossible.",
            "payment_method",
        )
    detach(account, method)
    return method


def list_payment_methods(account: Account, asked: ListPaymentMethods) -> JsonObject:
    """Only attached ones are listed (docs.stripe.com/api/payment_methods/list)."""
    return _attached(account, asked, "/v1/payment_methods", asked.customer)


def list_customers_payment_methods(account: Account, asked: ListPaymentMethods, customer: str) -> JsonObject:
    """docs.stripe.com/api/payment_methods/customer_list"""
    if customer not in account.books.customers:
        raise not_found("customer", customer, "customer")
    return _attached(account, asked, f"/v1/customers/{customer}/payment_methods", customer)


def _attached(account: Account, asked: ListPaymentMethods, url: str, customer: str | None) -> JsonObject:
    found = (
        method
        for method in newest_first(account.books.payment_methods)
        if method["customer"] is not None
        and customer in (None, method["customer"])
        and asked.type in (None, method["type"])
    )
    return page(url, found, asked)
