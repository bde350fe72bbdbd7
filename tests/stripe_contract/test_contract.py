"""The checker finds what it is there to find."""

from typing import Any

import pytest

from tests.stripe_contract.contract import ContractBroken, stripe_contract

INTENT = [("amount", "500"), ("currency", "usd")]


@pytest.mark.parametrize(
    ("method", "path", "pairs"),
    [
        ("POST", "/v1/customers", [("email", "a@b.c"), ("metadata[0]", "b"), ("address[city]", "x")]),
        ("POST", "/v1/customers/cus_1", [("address", ""), ("expand[0]", "tax"), ("expand[1]", "sources")]),
        ("POST", "/v1/payment_intents", [*INTENT, ("confirm", "true"), ("payment_method_types[]", "card")]),
        ("POST", "/v1/payment_intents/pi_1/confirm", []),
        (
            "POST",
            "/v1/setup_intents",
            [("usage", "off_session"), ("automatic_payment_methods[enabled]", "true")],
        ),
        ("POST", "/v1/setup_intents/seti_1/cancel", [("cancellation_reason", "abandoned")]),
        ("GET", "/v1/customers", [("limit", "5"), ("created[gt]", "4")]),
        ("GET", "/v1/customers/search", [("query", "email:'a'")]),
        ("DELETE", "/v1/customers/cus_1", []),
    ],
)
def test_what_stripe_describes_passes(method: Any, path: str, pairs: list[tuple[str, str]]) -> None:
    stripe_contract().check_request(method, path, pairs)


@pytest.mark.parametrize(
    ("method", "path", "pairs"),
    [
        ("POST", "/v1/customers", [("emial", "a@b.c")]),
        ("POST", "/v1/customers", [("address[cty]", "x")]),
        ("POST", "/v1/customers", [("metadata[a][b]", "c")]),
        ("POST", "/v1/payment_intents", [("amount", "500")]),
        ("POST", "/v1/payment_intents", [("amount", "5.00"), ("currency", "usd")]),
        ("POST", "/v1/payment_intents", [*INTENT, ("confirm", "yes")]),
        ("POST", "/v1/payment_intents", [*INTENT, ("setup_future_usage", "sometimes")]),
        ("POST", "/v1/payment_intents", [*INTENT, ("automatic_payment_methods[enabled]", "1")]),
        ("POST", "/v1/payment_intents/pi_1/confrim", []),
        ("POST", "/v1/setup_intents", [("usage", "sometimes")]),
        ("POST", "/v1/setup_intents", [("amount", "500")]),
        ("POST", "/v1/setup_intents/seti_1/confirm", [("off_session", "true")]),
        ("PUT", "/v1/customers/cus_1", []),
        ("GET", "/v1/customers", [("limt", "5")]),
        ("GET", "/v1/customers/search", []),
    ],
)
def test_typos_wrong_types_bad_enums_and_wrong_endpoints_are_found(
    method: Any, path: str, pairs: list[tuple[str, str]]
) -> None:
    with pytest.raises(ContractBroken):
        stripe_contract().check_request(method, path, pairs)


CUSTOMER = {"id": "cus_1", "object": "customer", "created": 1, "livemode": False, "email": None}


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, CUSTOMER), (404, {"error": {"type": "invalid_request_error", "message": "No such customer"}})],
)
def test_replies_that_fit_pass(status: Any, body: object) -> None:
    stripe_contract().check_response("GET", "/v1/customers/cus_1", status, body)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {**CUSTOMER, "extra": 1}),
        (200, {**CUSTOMER, "created": "1"}),
        (200, {"id": "cus_1", "object": "customer"}),
        (200, {**CUSTOMER, "livemode": None}),
        (400, {"error": {"type": "strange_error"}}),
        (400, CUSTOMER),
    ],
)
def test_replies_that_do_not_fit_are_found(status: Any, body: object) -> None:
    with pytest.raises(ContractBroken):
        stripe_contract().check_response("GET", "/v1/customers/cus_1", status, body)


def test_objects_are_checked_by_the_name_they_bear() -> None:
    stripe_contract().check_object(CUSTOMER)
    with pytest.raises(ContractBroken):
        stripe_contract().check_object({**CUSTOMER, "object": "charge"})
