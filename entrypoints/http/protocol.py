"""HTTP as it comes from a socket: what cannot be read as a request is refused like anything else."""

from http import HTTPStatus

import structlog
from msgspec import json
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from domain.ids import Ids, RequestId
from entrypoints.http.problems import PROBLEM_JSON, Problem

log = structlog.get_logger("http")

LARGEST_HEAD = 65_536
"""Bytes that a request's first line and headers may have, give or take what arrives at once."""

LINGER_SECONDS = 1.0


def http_protocol(ids: Ids) -> type[HttpToolsProtocol]:
    """uvicorn's protocol, with problems for replies where it would answer in plain text, and with a limit
    where it has none: bytes of a head that does not end would be kept for as long as they come.
    """

    class Protocol(HttpToolsProtocol):
        head: int | None = None
        """Bytes of the head that is being read; none between heads."""
        refused = False

        def data_received(self, data: bytes) -> None:
            if self.refused:
                return
            super().data_received(data)
            if self.head is not None:
                self.head += len(data)
                if self.head > LARGEST_HEAD:
                    self.refuse(
                        431, "headers_too_large", f"A request's headers may have {LARGEST_HEAD} bytes."
                    )

        def on_message_begin(self) -> None:
            self.head = 0
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            self.head = None
            super().on_headers_complete()

        def send_400_response(self, msg: str) -> None:
            self.refuse(400, "bad_request", "This is not a request of HTTP/1.1.")

        def refuse(self, status: int, code: str, detail: str) -> None:
            """Answer, and read no more: where the next request would begin is not known. What still comes is
            thrown away for a moment, as hanging up on it would take the answer away from whoever sends it.
            """
            self.refused, self.head = True, None
            request_id = ids.new(RequestId)
            log.info("request", status=status, code=code, request_id=request_id, correlation_id=request_id)
            body = json.encode(Problem.of(status, code, detail, request_id))
            lines = (
                f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
                f"content-type: {PROBLEM_JSON}",
                f"content-length: {len(body)}",
                f"x-request-id: {request_id}",
                "connection: close",
                "\r\n",
            )
            self.transport.write("\r\n".join(lines).encode() + body)
            if self.transport.can_write_eof():
                self.transport.write_eof()
            self.loop.call_later(LINGER_SECONDS, self.transport.close)

    return Protocol
