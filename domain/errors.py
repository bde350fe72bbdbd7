"""Everything that can be refused, each with a stable code. Status codes are the web's business, not ours."""


class DomainError(Exception):
    """A request that the books refuse. Nothing was changed.

    `code` is stable and documented; `detail` is for a person; `field` names the input at fault, if one is.
    """

    def __init__(self, code: str, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.field = field


class Rejected(DomainError):
    """What was asked breaks a rule; asking again changes nothing."""


class NotFound(DomainError):
    """What was named does not exist in this organization and mode."""


class Forbidden(DomainError):
    """The caller may not do this."""


class TooMany(DomainError):
    """Asked too often; it can be asked again later."""


class Conflict(DomainError):
    """A unique key was taken: some other request won. Read again, decide again."""


class StaleState(Conflict):
    """What was read has changed since. Read again, decide again."""


class Repeated(DomainError):
    """Done, or being done, already under the caller's idempotency key. Deciding again changes nothing."""


class Unavailable(DomainError):
    """Somebody we depend on did not answer; nothing is known to be wrong with the request."""


class ProviderRefused(DomainError):
    """A provider (of payments, of mail) refused the call for good, and would refuse it again."""
