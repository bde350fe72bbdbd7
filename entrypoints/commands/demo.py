"""`counterfoil demo`: see it work, on a machine where nothing is set up."""

from typing import Annotated

import typer

from entrypoints.commands.serve import PORT
from entrypoints.demo.show import show


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End after the walk, and leave nothing behind.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help=f"The port; else {PORT}, or with --once any that is free."),
    ] = None,
) -> None:
    """Walk an anonymous checkout from a card that is declined to the last event, and show what is stored.

    Needs nothing: it brings its own PostgreSQL and a sandbox in place of Stripe, apart from everything else.
    Afterwards it stays up, with a key and commands to try.
    """
    show(once=once, port=port if port is not None else 0 if once else PORT)
