"""The image and compose.yaml, tried as a whole: python .ci/try_image.py IMAGE, where a Docker engine answers.

compose.yaml as it is, on a PostgreSQL container, with a sandbox here in place of Stripe: everything
gets healthy, a customer is made and is made known to Stripe by the worker, a stranger pays, SIGTERM ends it.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from adapters.sandbox import Sandbox  # noqa: E402  (the path first)

API = "http://127.0.0.1:8787"
SHORTEST = 0.2
CATALOG = {"pricing_models": [{"slug": "standard", "name": "Standard", "is_default": True, "products": [
    {"slug": "free", "name": "Free", "is_default": True},
    {"slug": "book", "name": "Book", "group": "books", "prices": [
        {"slug": "book", "type": "single_payment", "amount": 1500, "currency": "usd"}]}]}]}  # fmt: skip


def run(*words: str, status: int = 0, **more: str) -> str:
    """What a command prints; it must end with this status."""
    ended = subprocess.run(
        words, cwd=ROOT, env={**os.environ, **more}, capture_output=True, text=True, check=False
    )
    if ended.returncode != status:
        sys.exit(f"{' '.join(words)} ended with {ended.returncode}:\n{ended.stdout}\n{ended.stderr}")
    return ended.stdout + (ended.stderr if status else "")


async def main(image: str) -> None:
    """All of it."""
    without_a_database(image)
    async with Sandbox() as sandbox, reachable_from_containers(sandbox.url) as address:
        settings = {
            "COUNTERFOIL_IMAGE": image,
            "COMPOSE_PROJECT_NAME": "counterfoil-ci",
            "POSTGRES_IMAGE": os.environ["TEST_POSTGRES_IMAGE"],
            "POSTGRES_PASSWORD": "of-the-administrator",
            "COUNTERFOIL_LOGIN_PASSWORD": "of-the-login",
            "STRIPE_API_BASE": address,
            "STRIPE_TEST_SECRET_KEY": sandbox.secret_key,
            "STRIPE_TEST_PUBLISHABLE_KEY": sandbox.publishable_key,
            "STRIPE_TEST_WEBHOOK_SECRET": sandbox.webhook_secret,
        }
        compose = Compose(settings)
        try:
            await asyncio.to_thread(compose.up)
            sandbox.register_webhook(f"{API}/v1/stripe/webhooks")
            await asyncio.to_thread(paid, compose, sandbox.url, sandbox.secret_key)
            await asyncio.to_thread(confined, compose)
            await asyncio.to_thread(compose.stop)
        except BaseException:
            print(compose("logs", "--tail", "30"))
            raise
        finally:
            compose("down", "--volumes")


class Compose:
    """compose.yaml with these settings."""

    def __init__(self, settings: dict[str, str]) -> None:
        self._settings = settings
        self._words = ("docker-compose",) if shutil.which("docker-compose") else ("docker", "compose")

    def __call__(self, *words: str) -> str:
        return run(*self._words, *words, **self._settings)

    def up(self) -> None:
        """Start, and wait for what `up --wait` waits for (which the old docker-compose does not know)."""
        started = time.monotonic()
        self("up", "--detach", "--no-build")
        until(lambda: all(self.state(name)["Health"]["Status"] == "healthy" for name in ("api", "worker")))
        say(f"postgres, migrate, api and worker: healthy after {time.monotonic() - started:.1f} s")

    def stop(self) -> None:
        """SIGTERM: both end in order."""
        self("stop", "api", "worker")
        for name in ("api", "worker"):
            state = self.state(name)
            assert (state["ExitCode"], state["OOMKilled"]) == (0, False), (name, state)
        say("SIGTERM: api and worker ended with 0")

    def state(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.inspected(name)["State"]
        return found

    def inspected(self, name: str) -> dict[str, Any]:
        inspected: dict[str, Any] = json.loads(run("docker", "inspect", self("ps", "--quiet", name).strip()))[
            0
        ]
        return inspected


def without_a_database(image: str) -> None:
    """Alone, the image says what it needs."""
    told = run("docker", "run", "--rm", "--read-only", image, status=1)
    assert "counterfoil: embedded_server_unavailable: " in told, told
    assert "DATABASE_URL" in told, told
    assert "Traceback" not in told, told
    say("without DATABASE_URL: a clear refusal")


def paid(compose: Compose, stripe: str, stripe_key: str) -> None:
    """A customer, whom the worker makes known to Stripe; then a stranger's payment, booked by its webhook."""
    create = (
        "counterfoil",
        "organization",
        "create",
        "Acme",
        "--owner-email",
        "owner@acme.example",
        "--json",
    )
    key = json.loads(compose("exec", "-T", "api", *create))["test_key"]
    call("PUT", f"{API}/v1/catalog", key, CATALOG)
    call("POST", f"{API}/v1/customers", key, {"external_id": "ada"})
    until(lambda: call("GET", f"{API}/v1/customers/ada", key)["stripe_customer_id"])
    say("a customer, known to Stripe by the worker")
    draft = {"type": "product", "price": "book", "anonymous": True}
    session = call("POST", f"{API}/v1/checkout-sessions", key, draft)
    intent = f"{stripe}/v1/payment_intents/{session['payment_intent_id']}"
    call("POST", f"{intent}/confirm?payment_method=pm_card_visa&return_url=http%3A%2F%2Fa.test", stripe_key)
    until(lambda: call("GET", f"{API}/v1/checkout-sessions/{session['id']}", key)["status"] == "succeeded")
    say("a stranger's payment, booked by Stripe's webhook")
    shown = urllib.request.urlopen(f"{API}/metrics", timeout=5).read().decode()
    assert "\ncounterfoil_customers_without_pricing_model 0.0\n" in shown, shown


def confined(compose: Compose) -> None:
    """Not root, nothing writable but what must be, no rights to gain; and nothing there that built it."""
    looks = (
        "import os, shutil, pathlib; "
        "print(os.getuid(), [p for p in ('/', '/opt/counterfoil', '/etc', '/usr') if os.access(p, os.W_OK)], "
        "shutil.which('uv'), shutil.which('gcc'), pathlib.Path('/source').exists(), "
        "[line.split()[1] for line in open('/proc/self/status') "
        "if line[:6] in ('CapEff', 'CapBnd', 'NoNewP')])"
    )
    for name in ("api", "worker"):
        seen = compose("exec", "-T", name, "python", "-c", looks).strip()
        none = "0" * 16
        assert seen == f"10001 [] None None False ['{none}', '{none}', '1']", (name, seen)
        assert compose.inspected(name)["HostConfig"]["ReadonlyRootfs"] is True
    say("user 10001, read-only, no capabilities")


def call(method: str, url: str, key: str, body: object = None) -> Any:  # noqa: ANN401
    """The reply, decoded."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.loads(reply.read())


def until(holds: Callable[[], object], seconds: float = 60) -> None:
    """Until it is so; a container tells nobody."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(SHORTEST)


@asynccontextmanager
async def reachable_from_containers(url: str) -> AsyncIterator[str]:
    """The sandbox serves this machine alone; containers come through a door on the engine's own bridge."""
    bridge = json.loads(run("ip", "-json", "-4", "address", "show", "docker0"))[0]["addr_info"][0]["local"]
    host, _, port = url.removeprefix("http://").partition(":")

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def let_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside, to_inside = await asyncio.open_connection(host, int(port))
        await asyncio.gather(carry(reader, to_inside), carry(inside, writer), return_exceptions=True)

    async with await asyncio.start_server(let_in, bridge, 0) as door:
        yield f"http://{bridge}:{door.sockets[0].getsockname()[1]}"


def say(words: str) -> None:
    print(f"  {words}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
