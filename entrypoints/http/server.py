"""The API on a socket: uvicorn, run from inside an event loop."""

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import uvicorn
from litestar import Litestar

from domain.ids import Ids
from entrypoints.container import Container, StandIn, sandbox_standing_in
from entrypoints.http.app import create_app
from entrypoints.http.protocol import http_protocol

BACKLOG = 2048
GARBAGE_THRESHOLDS = 50_000, 20, 100
"""Requests leave few cycles behind, and one makes more than the usual 700 objects: the collector would look
at each request while it is being answered."""
GRACE_SECONDS = 20
"""How long a stopping server waits for the requests it has begun to answer."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that answers at `url`; `sandbox` is the Stripe that stands in for test mode, if one does."""

    url: str
    sandbox: StandIn | None


Companion = Callable[[Serving, asyncio.Event], Coroutine[None, None, None]]
"""What runs beside the server, such as the worker, until the event is set."""


@asynccontextmanager
async def serving(
    container: Container, host: str = "127.0.0.1", port: int = 0, *, stop: asyncio.Event | None = None
) -> AsyncIterator[Serving]:
    """Serve while the block runs, and answer what was begun before it ends. Port 0 takes any that is free.

    Once `stop` is set, nobody new is let in: what was begun is answered while the block comes to its end.
    The address is known before anything is opened, so that links and the sandbox's webhooks lead here.
    """
    with listening(host, port) as listener:
        url = address_of(host, listener)
        with container.served_at.override(url):
            async with sandbox_standing_in(container, url) as sandbox:
                app = create_app(container)
                proxies = container.settings().trusted_proxies
                async with app.lifespan(), answering(app, container.ids(), listener, proxies, stop):
                    yield Serving(url, sandbox)


def serve(
    container: Container,
    host: str,
    port: int,
    *,
    beside: Companion | None = None,
    ready: Callable[[Serving], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM, with `beside` in the same event loop. `ready` hears when it answers.

    Then the server and `beside` finish at the same time; a second signal ends the process at once.
    """

    async def until_stopped() -> None:
        stop = asyncio.Event()
        async with serving(container, host, port, stop=stop) as server:
            with _stopped_by_signals(stop):
                gc.collect()
                gc.freeze()  # what is here now stays: the collector need not look at it again
                gc.set_threshold(*GARBAGE_THRESHOLDS)
                if ready is not None:
                    ready(server)
                if beside is None:
                    await stop.wait()
                else:
                    await beside(server, stop)

    with asyncio.Runner(loop_factory=_fast_loop()) as runner:
        runner.run(until_stopped())


class _Uvicorn(uvicorn.Server):
    """Says when it has started, and leaves signals to whoever runs the process."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    async def close_after(self, stop: asyncio.Event) -> None:
        """Let nobody new in once this is set, and answer what was begun."""
        await stop.wait()
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def answering(
    app: Litestar,
    ids: Ids,
    listener: socket.socket,
    trusted_proxies: str = "",
    stop: asyncio.Event | None = None,
) -> AsyncIterator[None]:
    """The app answers on this socket while the block runs, and nobody new once `stop` is set. What these
    proxies say of who asks (X-Forwarded-For) is believed.
    """
    config = uvicorn.Config(
        app,
        http=http_protocol(ids),
        ws="none",
        lifespan="off",  # ours is around this, so that what goes wrong in it is raised to our caller
        forwarded_allow_ips=trusted_proxies,
        access_log=False,
        log_config=None,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=75,  # longer than load balancers keep theirs
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Uvicorn(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    up = asyncio.create_task(server.up.wait())
    closing = asyncio.create_task(server.close_after(stop or asyncio.Event()))
    try:
        await asyncio.wait((running, up), return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        yield
    finally:
        up.cancel()
        closing.cancel()
        server.should_exit = True
        await running


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket at this address, which is known before anybody is answered."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=BACKLOG) as listener:
        yield listener


def address_of(host: str, listener: socket.socket) -> str:
    """How this machine reaches it: a host that stands for every address is no address to go to."""
    port = listener.getsockname()[1]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


@contextmanager
def _stopped_by_signals(stop: asyncio.Event) -> Iterator[None]:
    """The first signal sets `stop`; after that they do again what they did before."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def set_and_let_go() -> None:
        stop.set()
        for number in signals:
            loop.remove_signal_handler(number)

    for number in signals:
        loop.add_signal_handler(number, set_and_let_go)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 (not there on Windows)

    return uvloop.new_event_loop
