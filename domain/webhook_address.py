"""Which addresses events may be sent to: an endpoint must not lead into the network that we run in."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from domain.errors import Rejected

Address = IPv4Address | IPv6Address

# RFC 6052: an IPv4 address is in the last four bytes, for whoever translates. Where there is no IPv4, every
# name is given as one of these.
_TRANSLATED = IPv6Network("64:ff9b::/96")
# RFC 4291, 2.5.5.1: deprecated, and some systems still take it for the IPv4 address in it.
_COMPATIBLE = IPv6Network("::/96")
_ALSO_NOT_PUBLIC = (ip_network("100.64.0.0/10"), ip_network("192.88.99.0/24"), ip_network("fec0::/10"))


class AddressRule(Struct, frozen=True):
    """What whoever runs the service allows: plain `http`, and addresses that are not public."""

    allow_http: bool = False
    allow_private: bool = False


PUBLIC_ALONE = AddressRule()
"""What holds where nobody has said otherwise."""


def is_public(address: Address) -> bool:
    """Whether it is somewhere in the internet, and so is any address that is written inside it."""
    if isinstance(address, IPv6Address):
        if address in _TRANSLATED:
            return is_public(_last_four_bytes(address))
        if address.is_site_local or not all(map(is_public, _inside(address))):
            return False
    if any(address in network for network in _ALSO_NOT_PUBLIC if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _inside(address: IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses that a mapped, compatible, 6to4 or Teredo address leads to."""
    inner = [found for found in (address.ipv4_mapped, address.sixtofour) if found is not None]
    if address.teredo is not None:
        inner += address.teredo
    return [*inner, _last_four_bytes(address)] if address in _COMPATIBLE else inner


def _last_four_bytes(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFFFFFF)


def check_url(url: str, rule: AddressRule, *, field: str = "url") -> None:
    """Raises Rejected `invalid_webhook_url` where nothing may be sent to; a host's name is looked up, and
    what it stands for checked, only when something is sent."""

    def refuse(message: str) -> Rejected:
        return Rejected("invalid_webhook_url", message, field=field)

    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise refuse("This is no address of a web server.") from None
    if not host:
        raise refuse("This is no address of a web server.")
    if parts.username is not None or parts.password is not None:
        raise refuse("An address must not hold a user name or a password: check the signature instead.")
    if parts.scheme != "https" and not rule.allow_http:
        raise refuse("An address must begin with https://.")
    if not rule.allow_private and not _may_be_public(parts):
        raise refuse("This address is not in the internet.")


def _may_be_public(parts: SplitResult) -> bool:
    host = (parts.hostname or "").rstrip(".")
    try:
        return is_public(ip_address(host))
    except ValueError:
        return host != "localhost" and not host.endswith(".localhost")
