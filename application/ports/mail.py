"""Mail, as it is sent."""

from typing import Protocol

from msgspec import Struct


class Mail(Struct, frozen=True, kw_only=True):
    """A message to one person. Whoever gets the same `id` twice has got one message twice."""

    id: str
    to: str
    subject: str
    text: str
    html: str


class Mailer(Protocol):
    """Hands mail over to be delivered."""

    async def send(self, mail: Mail) -> None:
        """Raises ProviderRefused `mail_refused` when it will never be taken, Unavailable
        `mail_server_unavailable` when it may be later, and `mail_server_misconfigured` when we are not let
        in."""
