"""The service, but for one thing: what waits at the same time does not go to the database together.

It is there to be compared with, and no setting of the service: `python -m benchmarks.one_by_one --port N`.
"""

import argparse

from dependency_injector import providers

from adapters.postgres.combining import Limits
from entrypoints.commands.running import container_on, settings_read
from entrypoints.http.server import serve


def main() -> None:
    """Serve until told to stop. Each call has a connection of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.one_by_one", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    settings = settings_read()
    assert settings.database_url is not None
    container = container_on(settings, settings.database_url.get_secret_value())
    container.limits.override(providers.Object(Limits(at_once=settings.pool_size, together=1)))
    serve(container, "127.0.0.1", asked.port)


if __name__ == "__main__":
    main()
