"""Mail through an SMTP server."""

import ssl
from email.headerregistry import Address
from email.message import EmailMessage

import aiosmtplib
from msgspec import Struct

from adapters.mail.message import composed, refused
from application.ports import Mail
from domain.errors import DomainError, Unavailable

_TIMEOUT_SECONDS = 10.0


class SmtpServer(Struct, frozen=True):
    """Where mail is handed over. `tls`: encrypted from the first byte (port 465); else STARTTLS is used if
    the server offers it, and insisted upon where there is a password."""

    host: str
    port: int
    tls: bool
    username: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"SmtpServer({self.host}:{self.port})"


class SmtpMailer:
    """Hands each mail over on a connection of its own: they are few, and a server drops the idle."""

    def __init__(self, server: SmtpServer, sender: Address) -> None:
        self._server = server
        self._sender = sender

    async def send(self, mail: Mail) -> None:
        message = composed(mail, self._sender)
        client = self._client()
        try:
            await self._connect(client)
            await self._hand_over(client, message)
        finally:
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            local_hostname=self._sender.domain,
            use_tls=server.tls,
            start_tls=True if server.password is not None and not server.tls else None,
            username=server.username,
            password=server.password,
            timeout=_TIMEOUT_SECONDS,
        )

    async def _connect(self, client: aiosmtplib.SMTP) -> None:
        try:
            await client.connect()
        except (aiosmtplib.SMTPAuthenticationError, ssl.SSLError) as error:
            raise _misconfigured(error) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            if isinstance(error.__cause__, ssl.SSLError) or type(error) is aiosmtplib.SMTPException:
                raise _misconfigured(error) from None
            raise _away() from None

    async def _hand_over(self, client: aiosmtplib.SMTP, message: EmailMessage) -> None:
        # The library's errors are not kept as causes: they quote addresses and the server's words.
        try:
            await client.send_message(
                message, sender=self._sender.addr_spec, recipients=[_recipient(message)]
            )
        except aiosmtplib.SMTPSenderRefused as error:
            raise (_misconfigured(error) if _is_final(error.code) else _away()) from None
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _of_code(error.recipients[0].code) from None
        except aiosmtplib.SMTPResponseException as error:
            raise _of_code(error.code) from None
        except (ValueError, aiosmtplib.SMTPNotSupported):  # an address that this server cannot be told
            raise refused() from None
        except (aiosmtplib.SMTPException, OSError):
            raise _away() from None


def _recipient(message: EmailMessage) -> str:
    (recipient,) = message["To"].addresses
    spec: str = recipient.addr_spec
    return spec


def _is_final(code: int) -> bool:
    return 500 <= code < 600


def _of_code(code: int) -> DomainError:
    """RFC 5321, 4.2.1: what begins with a 5 will be refused again, what begins with a 4 may not be."""
    return refused() if _is_final(code) else _away()


def _away() -> Unavailable:
    return Unavailable(
        "mail_server_unavailable", "The mail server did not take the mail. It will be tried again."
    )


def _misconfigured(error: Exception) -> Unavailable:
    kind = type(error.__cause__ or error).__name__
    return Unavailable(
        "mail_server_misconfigured",
        f"The mail server does not let us in ({kind}): see SMTP_URL and MAIL_FROM.",
    )
