"""Which events an endpoint is told of, where it may be, how often it is tried, and when it is given up."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import get_args

import pytest

from domain.delivery import PAUSES, next_try_after
from domain.errors import Rejected
from domain.events import EventType
from domain.webhook_address import AddressRule, check_url, is_public
from domain.webhook_endpoint import wants

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_names_kinds_and_all_there_is() -> None:
    types = get_args(EventType)
    assert [one for one in types if wants(("*",), one)] == list(types)
    assert [one for one in types if wants(("payment.failed",), one)] == ["payment.failed"]
    of_kind = [one for one in types if wants(("payment.*",), one)]
    assert of_kind == [one for one in types if one.startswith("payment.")]
    assert not wants(("payment.*",), "payment_method.added")
    assert not wants((), "payment.failed")


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:0",
        "64:ff9b::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_what_is_not_in_the_internet(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1"],
)
def test_what_is(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("http://example.com", AddressRule()),
        ("http://example.com", AddressRule(allow_private=True)),
        ("https://10.0.0.1", AddressRule(allow_http=True)),
        ("https://localhost.", AddressRule()),
        ("https://a.localhost:8443/", AddressRule()),
        ("https://user@example.com", AddressRule(allow_http=True, allow_private=True)),
        ("https://:443/", AddressRule()),
        ("https://[::1", AddressRule()),
        ("https://example.com:0x10", AddressRule()),
    ],
)
def test_nothing_is_sent_there(url: str, rule: AddressRule) -> None:
    with pytest.raises(Rejected) as refused:
        check_url(url, rule)
    assert (refused.value.code, refused.value.field) == ("invalid_webhook_url", "url")


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("https://example.com/hook?a=b", AddressRule()),
        ("https://8.8.8.8:8443", AddressRule()),
        ("http://example.com", AddressRule(allow_http=True)),
        ("http://127.0.0.1:1", AddressRule(allow_http=True, allow_private=True)),
    ],
)
def test_there_it_may_be(url: str, rule: AddressRule) -> None:
    check_url(url, rule)


def test_it_is_tried_for_three_days_and_then_given_up() -> None:
    total = timedelta()
    for tries in range(1, len(PAUSES) + 1):
        pause = next_try_after(tries, 0.5)
        assert pause == PAUSES[tries - 1]
        total += pause
        shortest, longest = next_try_after(tries, 0.0), next_try_after(tries, 1.0)
        assert shortest == pause * 0.9
        assert longest == pause * 1.1
    assert timedelta(days=2, hours=23) < total < timedelta(days=3)
    assert next_try_after(len(PAUSES) + 1, 0.5) is None
