"""What is refused, by what code, and which parameter is named (docs.stripe.com/api/errors, /error-codes)."""

from typing import Any

import pytest

from tests.conformance.api import Api, intent_for

INTENT: dict[str, Any] = {"amount": 1099, "currency": "usd"}


@pytest.mark.parametrize(
    ("given", "code", "param"),
    [
        ({**INTENT, "colour": "red"}, "parameter_unknown", "colour"),
        (
            {**INTENT, "automatic_payment_methods": {"enable": "true"}},
            "parameter_unknown",
            "automatic_payment_methods[enable]",
        ),
        ({"amount": 1099}, "parameter_missing", "currency"),
        ({**INTENT, "amount": "lots"}, "parameter_invalid_integer", "amount"),
        ({**INTENT, "customer": "cus_nobody"}, "resource_missing", "customer"),
        ({**INTENT, "payment_method": "pm_nothing"}, "resource_missing", "payment_method"),
    ],
)
async def test_a_bad_parameter_is_refused_by_name(
    stripe: Api, given: dict[str, Any], code: str, param: str
) -> None:
    """docs.stripe.com/error-codes#parameter-unknown, -missing, -invalid-integer, #resource-missing;
    docs.stripe.com/api/errors: 400, often due to missing a required parameter."""
    refused = await stripe.post("payment_intents", **given)
    assert refused.status == 400
    assert (refused.error["type"], refused.error["code"], refused.error["param"]) == (
        "invalid_request_error",
        code,
        param,
    )
    assert refused.error["message"]


@pytest.mark.parametrize("path", ["customers", "payment_intents", "charges", "events", "payment_methods"])
async def test_an_object_that_is_not_there_is_missing(stripe: Api, path: str) -> None:
    """docs.stripe.com/api/errors: 404; docs.stripe.com/error-codes#resource-missing"""
    refused = await stripe.get(f"{path}/conformance_nothing")
    assert (refused.status, refused.error["type"], refused.error["code"]) == (
        404,
        "invalid_request_error",
        "resource_missing",
    )


async def test_an_address_that_is_none_is_refused(stripe: Api) -> None:
    """docs.stripe.com/error-codes#email-invalid"""
    refused = await stripe.post("customers", email="nobody")
    assert (refused.status, refused.error["code"], refused.error["param"]) == (400, "email_invalid", "email")


async def test_a_webhook_endpoint_needs_a_real_address(stripe: Api) -> None:
    """docs.stripe.com/error-codes#url-invalid"""
    refused = await stripe.post("webhook_endpoints", url="nowhere", enabled_events=["*"])
    assert (refused.status, refused.error["code"], refused.error["param"]) == (400, "url_invalid", "url")


async def test_a_code_comes_with_where_it_is_explained(stripe: Api) -> None:
    """`doc_url` in docs.stripe.com/api/errors#errors-doc_url"""
    refused = await stripe.post("payment_intents", amount=1099)
    assert refused.error["doc_url"].endswith("/error-codes/parameter-missing")


async def test_an_intent_without_a_method_cannot_be_confirmed(stripe: Api) -> None:
    """docs.stripe.com/payments/paymentintents/lifecycle: `requires_payment_method`"""
    intent = await intent_for(stripe)
    refused = await stripe.post(f"payment_intents/{intent['id']}/confirm")
    assert (refused.status, refused.error["type"]) == (400, "invalid_request_error")
