"""The commands of those who run the service, as processes beside one that serves."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from adapters.postgres.embedded.postmaster import wait_until
from entrypoints.http.auth import KNOWN_FOR_SECONDS
from tests.contracts.worlds import CATALOG
from tests.entrypoints.counterfoil_process import counterfoil, running
from tests.entrypoints.serving import Service, service
from tests.entrypoints.test_catalog_files import TOML


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("serving")) as serving:
        yield serving


def test_a_key_works_from_when_it_is_made_until_it_is_revoked(acme: Service) -> None:
    made = acme.json("keys", "create", "--organization", "acme")
    secret = made.pop("secret")
    assert acme.get("/v1/catalog", secret).status_code == 200
    assert acme.told("keys", "revoke", made["id"]).startswith(f"{made['id']} was revoked at ")
    assert wait_until(lambda: acme.get("/v1/catalog", secret).status_code == 401, KNOWN_FOR_SECONDS + 1)
    assert acme.get("/v1/catalog", secret).json()["code"] == "api_key_invalid"
    assert acme.get("/v1/catalog").status_code == 200
    first, second = acme.json("keys", "list", "-o", acme.organization_id)["data"]
    assert (first["hint"], first["revoked_at"]) == (acme.test_key[-4:], None)
    assert second == {**made, "revoked_at": second["revoked_at"]}
    assert second["revoked_at"] is not None
    listed = acme.told("keys", "list")
    assert made["id"] in listed
    for words in (listed, str(first), str(second)):
        assert secret not in words
        assert "hash" not in words


def test_keys_of_live_mode_are_apart(acme: Service) -> None:
    shown = acme.told("keys", "create", "--live")
    assert "cf_live_" in shown
    assert "shown only here" in shown
    assert len(acme.json("keys", "list", "--live")["data"]) == 2
    test_key = acme.json("keys", "list")["data"][0]["id"]
    refused = acme.refused("keys", "revoke", test_key, "--live")
    assert (
        refused == f"counterfoil: api_key_not_found: The organization has no key '{test_key}' in live mode."
    )


def test_an_organization_that_is_not_there_is_told_in_one_line(acme: Service) -> None:
    refused = acme.refused("keys", "list", "--organization", "nobody")
    assert refused == "counterfoil: organization_not_found: There is no organization 'nobody'."


def test_an_organization_is_changed_and_shown(acme: Service) -> None:
    assert acme.json("organization", "update")["sends_receipts"] is False
    changed = acme.json("organization", "update", "-o", "acme", "--name", " Acme Ltd ", "--receipts")
    assert (changed["name"], changed["slug"], changed["sends_receipts"]) == ("Acme Ltd", "acme", True)
    shown = acme.told("organization", "update", "--no-receipts")
    assert "Acme Ltd" in shown
    assert "not sent" in shown
    assert acme.refused("organization", "update", "--name", " ").startswith("counterfoil: invalid_name: ")


def test_a_catalog_is_applied_compared_and_taken_to_live_mode(acme: Service, tmp_path: Path) -> None:
    shop = tmp_path / "shop.toml"
    shop.write_text(TOML)
    foreseen = acme.json("catalog", "apply", str(shop), "--dry-run")
    assert foreseen["dry_run"]
    assert ["created", "product", "pro"] in [[c["action"], c["type"], c["slug"]] for c in foreseen["changes"]]
    assert acme.get("/v1/catalog").json()["pricing_models"] == []
    told = acme.told("catalog", "diff", str(shop), status=1)
    assert "pro" in told
    assert acme.told("catalog", "apply", str(shop)).split()[1:] == told.split()[2:]  # "WAS", "WOULD BE"
    assert "nothing changes" in acme.told("catalog", "diff", str(shop))
    copy = tmp_path / "copy.json"
    copy.write_text(acme.told("catalog", "export"))
    assert len(acme.json("catalog", "apply", str(copy), "--live")["changes"]) == len(foreseen["changes"])
    assert acme.told("catalog", "export", "--live") == copy.read_text()


def test_a_file_that_breaks_a_rule_is_told_with_the_place_and_is_no_difference(
    acme: Service, tmp_path: Path
) -> None:
    shop = tmp_path / "shop.toml"
    shop.write_text(TOML.replace("included = 5", "included = 5, unlimited = true"))
    place = "pricing_models[0].products[0].features[0].included"
    refused = acme.refused("catalog", "diff", str(shop), status=2)
    assert refused.startswith(f"counterfoil: invalid_catalog: {shop}: {place}: An unlimited feature")
    missing = acme.refused("catalog", "apply", str(tmp_path / "none.toml"))
    assert missing.startswith(f"counterfoil: file_unusable: cannot use {tmp_path}/none.toml")


def test_what_stripe_told_and_did_not_fit_is_seen_and_booked_once_it_fits(
    acme: Service, tmp_path: Path
) -> None:
    assert acme.json("inbox", "list") == {"data": [], "more": False}
    acme.kept_in_the_inbox("evt_kept")
    listed = acme.told("inbox", "list").splitlines()[1]
    for word in ("evt_kept", "payment_intent.succeeded", acme.organization_id, "no_default_pricing_model"):
        assert word in listed
    assert '"amount": 1999' in acme.told("inbox", "show", "evt_kept")
    assert "no_default_pricing_model" in acme.told("inbox", "retry", "evt_kept", status=1)
    catalog = tmp_path / "catalog.json"
    catalog.write_bytes(msgspec.json.encode(CATALOG))
    acme.told("catalog", "apply", str(catalog))
    retried = acme.json("inbox", "retry", "--all")
    assert retried == {"data": [{"id": "evt_kept", "handled": True, "reason": None}]}
    shown = acme.json("inbox", "show", "evt_kept")
    assert (shown["refusal"], shown["attempts"], shown["fact"]) == (None, 3, None)
    assert acme.json("inbox", "list")["data"] == []
    assert "yes" in acme.told("inbox", "retry", "evt_kept")
    refused = acme.refused("inbox", "retry", "evt_nobody")
    assert refused == "counterfoil: inbound_event_not_found: There is no event 'evt_nobody' in the inbox."


def test_the_tail_says_what_the_feed_says(acme: Service, tmp_path: Path) -> None:
    fed = acme.get("/v1/events?limit=100").json()["data"]
    told = [msgspec.json.decode(line) for line in acme.told("events", "tail", "--json").splitlines()]
    assert told == fed
    last = fed[-1]
    line = acme.told("events", "tail", "--after", str(last["sequence"] - 1), "--type", last["type"])
    assert line.split()[:5] == [
        str(last["sequence"]),
        last["occurred_at"][:19] + "Z",
        last["type"],
        last["subject"]["type"],
        last["subject"]["id"],
    ]
    assert counterfoil(acme.home, "events", "tail", "--type", "nothing.happened").returncode == 2
    with running(tmp_path, acme.home, "events", "tail", "--follow", "--type", "api_key.created") as tail:
        tail.wait_for(r"\d  .*api_key\.created")
        key_id = acme.json("keys", "create")["id"]
        tail.wait_for(key_id)
        assert tail.stop() == 0
