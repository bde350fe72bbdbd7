"""Which Chromium the browser tests drive: the machine's own, whichever way it was installed."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW_TO_GET_ONE = "install it (Debian: apt-get install chromium), or name one in CHROMIUM"
ARGUMENTS = (
    "--no-sandbox",  # it will not start as root otherwise, as in a container
    "--disable-dev-shm-usage",  # of which a container has too little
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find() -> str | None:
    """The program that CHROMIUM names, else the first of its usual names on PATH; None when there is none."""
    return next(filter(None, map(shutil.which, _wanted())), None)


def is_required() -> bool:
    """Whether the tests must run: `TEST_BROWSER=required`, or `CI=true`."""
    return os.environ.get("TEST_BROWSER") == "required" or os.environ.get("CI") == "true"


def _wanted() -> tuple[str, ...]:
    named = os.environ.get("CHROMIUM")
    return (named,) if named else NAMES
