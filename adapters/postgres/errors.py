"""What keeps the service from using a database: each message is one line that says what to do.

None of them ever contains a password.
"""

from typing import ClassVar


class DatabaseSetupError(Exception):
    """The database cannot be used as it is."""

    code: ClassVar[str] = "database_unusable"


class EmbeddedServerError(DatabaseSetupError):
    """The embedded server cannot be started or found."""

    code = "embedded_server_unavailable"


class DatabaseUnreachableError(DatabaseSetupError):
    """No connection can be had."""

    code = "database_unreachable"


class DatabaseTooOldError(DatabaseSetupError):
    """The server is a PostgreSQL older than we need."""

    code = "database_too_old"


class DatabaseNotMigratedError(DatabaseSetupError):
    """The schema is not there, or not that of this version."""

    code = "database_not_migrated"


class DatabaseRoleUnsafeError(DatabaseSetupError):
    """The login could see past row-level security, so it must not serve."""

    code = "database_role_unsafe"


class DatabaseRoleNotGrantedError(DatabaseSetupError):
    """The login may not act as the role it is to serve as."""

    code = "database_role_not_granted"


class MigrationError(DatabaseSetupError):
    """The database cannot be migrated as it stands."""

    code = "database_migration_refused"


class RoleError(DatabaseSetupError):
    """A role cannot be made or granted by this login."""

    code = "database_role_refused"
