"""The SQL files that make the schema, read from where the package is installed."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.abc import Traversable
from importlib.resources import files

from adapters.postgres.errors import MigrationError

_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")


@dataclass(frozen=True, slots=True)
class SqlFile:
    """One file; line ends are made the same everywhere, so that a checkout's habits change no checksum."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Checksum of the text, hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def version(self) -> int:
        """The number a migration's name starts with."""
        return int(self.name[:4])


@dataclass(frozen=True, slots=True)
class SqlFiles:
    """Migrations in order (applied once each), and functions (replaced on every migrate)."""

    migrations: tuple[SqlFile, ...]
    functions: tuple[SqlFile, ...]

    @classmethod
    def read(cls, migrations: Traversable, functions: Traversable) -> "SqlFiles":
        """Read two folders; a missing folder is an empty one."""
        found = tuple(_sql_files(migrations))
        seen: dict[int, str] = {}
        for file in found:
            if not _NAME.fullmatch(file.name):
                raise MigrationError(f"{file.name} is not named like 0001_first_tables.sql: rename it")
            if file.version in seen:
                raise MigrationError(
                    f"{seen[file.version]} and {file.name} have one number: renumber the later"
                )
            seen[file.version] = file.name
        return cls(found, tuple(_sql_files(functions)))

    @classmethod
    def shipped(cls) -> "SqlFiles":
        """The files that come with this version of Counterfoil."""
        here = files("adapters.postgres")
        return cls.read(here / "migrations", here / "sql")


def _sql_files(folder: Traversable) -> Iterator[SqlFile]:
    if not folder.is_dir():
        return
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".sql"):
            text = entry.read_bytes().decode("utf-8").replace("\r\n", "\n")
            yield SqlFile(entry.name, text)
