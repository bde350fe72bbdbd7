"""A PostgreSQL server of our own, for those who bring none: started, found, recovered and stopped."""

from adapters.postgres.embedded.server import ADMIN, DATABASE, EmbeddedServer
from adapters.postgres.errors import EmbeddedServerError

__all__ = ["ADMIN", "DATABASE", "EmbeddedServer", "EmbeddedServerError"]
