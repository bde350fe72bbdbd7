"""Looking up where an endpoint is, and refusing what is not in the internet."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

from aiohttp import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult

from domain.webhook_address import AddressRule, is_public

_LOOKING_UP = 64
"""At once. Threads of our own: whoever's name takes long to be found holds up nothing else of the process."""


class AddressRefusedError(OSError):
    """The host is nowhere that may be sent to."""


class CheckedResolver(AbstractResolver):
    """Gives the connection the very addresses that were checked: nobody looks the name up again."""

    def __init__(self, rule: AddressRule) -> None:
        self._rule = rule
        self._threads = ThreadPoolExecutor(_LOOKING_UP, thread_name_prefix="webhook-host")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises OSError: AddressRefusedError where there are addresses, and none that is allowed."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _look_up, host, port, family)
        allowed = [one for one in found if self.allows(one["host"])]
        if found and not allowed:
            raise AddressRefusedError
        return allowed

    def allows(self, address: str) -> bool:
        """Whether an address, not a name, may be sent to."""
        return self._rule.allow_private or is_public(ip_address(address))

    def socket_to(self, place: AddrInfoType) -> socket.socket:
        """The socket of a connection: nothing is connected to an address that is not allowed, whoever has
        made it of whatever the host was called. Raises AddressRefusedError."""
        family, kind, protocol, _, address = place
        try:
            allowed = self.allows(str(address[0]))
        except ValueError:  # 127.1, and other ways of writing what is no address
            allowed = False
        if not allowed:
            raise AddressRefusedError
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [
        ResolveResult(
            hostname=host,
            host=str(place[0]),
            port=int(place[1]),
            family=kind,
            proto=protocol,
            flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        )
        for kind, _, protocol, _, place in found
    ]
