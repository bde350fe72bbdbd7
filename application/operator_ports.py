"""The ports of those who run the service, at its command line; all others are in `application.ports`.

What is said there holds here: repositories only read, each read is one query, and the contract suite
(tests/contracts) holds every adapter to these words.
"""

from collections.abc import Sequence
from typing import Protocol

from domain.account import ApiKey
from domain.auth import Authenticated
from domain.ids import ApiKeyId


class Organizations(Protocol):
    """Whose books are meant, when somebody names them at the command line."""

    async def owner(self, organization: str | None, *, livemode: bool) -> Authenticated | None:
        """Who acts at the command line: the owner, who is its first user, of the organization with this id,
        else with this slug; for None, of the only organization there is. None where there is no such one."""


class ApiKeyRepository(Protocol):
    """The keys of an organization in one mode, revoked ones too."""

    async def api_keys(self, auth: Authenticated) -> Sequence[ApiKey]:
        """All of them, oldest first."""

    async def api_key(self, auth: Authenticated, id: ApiKeyId) -> ApiKey | None:
        """By id."""
