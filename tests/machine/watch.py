"""How long a machine runs until something goes wrong."""

from collections.abc import Iterator
from contextlib import contextmanager


class Watch:
    """Counts operations up to the first that fails; what Hypothesis does again after that is not counted."""

    def __init__(self) -> None:
        self.operations = 0
        self.failed = False

    @contextmanager
    def over(self, operations: int) -> Iterator[None]:
        """So many are done here."""
        if not self.failed:
            self.operations += operations
        try:
            yield
        except Exception:
            self.failed = True
            raise
