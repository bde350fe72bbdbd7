"""`counterfoil events redeliver`: events delivered again, at the command line."""

from pathlib import Path

import httpx
import msgspec

from tests.entrypoints.counterfoil_process import counterfoil, running


def test_events_are_delivered_again_when_somebody_asks_for_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    create = ("organization", "create", "Acme", "--owner-email", "o@acme.test", "--json")
    key = msgspec.json.decode(counterfoil(home, *create).stdout)["test_key"]
    with running(tmp_path / "run", home, "serve", "--port", "0") as serve:
        url = serve.wait_for(r"listens on (http\S+)")[1]
        headers = {"authorization": f"Bearer {key}"}
        body = {"url": "https://nowhere.invalid/hook", "event_types": ["payment.*"]}
        made = httpx.post(f"{url}/v1/webhook-endpoints", json=body, headers=headers)
        assert made.status_code == 201, made.text
        (event, *_) = httpx.get(f"{url}/v1/events?wait=10", headers=headers).json()["data"]
        ask = ("events", "redeliver", made.json()["id"])
        again = counterfoil(home, *ask, "--event", event["id"])
        assert (again.returncode, again.stdout) == (0, "1 is delivered again.\n"), again.stderr
        assert counterfoil(home, *ask, "--failed").stdout == "0 are delivered again.\n"
        for wrong, code in (
            ((*ask, "--from", "3"), "invalid_redelivery"),
            (("events", "redeliver", "we_1", "--failed"), "webhook_endpoint_not_found"),
            ((*ask, "--failed", "--live"), "webhook_endpoint_not_found"),
        ):
            refused = counterfoil(home, *wrong)
            assert refused.returncode == 1
            assert code in refused.stderr
