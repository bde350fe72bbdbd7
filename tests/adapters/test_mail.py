"""A mail is handed over as it is, once more only as the same message; a failure says whether to try again."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import structlog
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from msgspec.structs import replace

from adapters.mail.log import LogMailer
from adapters.mail.smtp import SmtpMailer, SmtpServer
from application.ports import Mail
from domain.errors import DomainError, ProviderRefused, Unavailable

SENDER = Address("Acme GmbH", "billing", "acme.example")
MAIL = Mail(
    id="receipt.inv_1",
    to="ada@example.test",
    subject="Receipt from Café Acme",
    text="12,50 €\n",
    html="<p>12,50 €</p>\n",
)


class Mailbox:
    """What the server took, and what it says instead of taking it."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.answers: dict[str, str] = {}
        self.encrypted: list[bool] = []

    async def handle_MAIL(  # noqa: N802  (aiosmtpd finds it by this name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if "DATA" in self.answers:
            return self.answers["DATA"]
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self.recipients += envelope.rcpt_tos
        self.encrypted.append(session.ssl is not None)
        return "250 OK"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The server's, by an authority that this machine trusts for as long as the test runs."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@asynccontextmanager
async def listening(
    mailbox: Mailbox, *, tls: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[SmtpServer]:
    """An SMTP server, as it is to be addressed by whoever has no password."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(mailbox, hostname="mail.test", **options), "127.0.0.1", 0, ssl=tls
    )
    try:
        yield SmtpServer("127.0.0.1", server.sockets[0].getsockname()[1], tls=tls is not None)
    finally:
        server.close()


def known(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"acme", b"s3cret"), handled=False)


async def refusal(server: SmtpServer, mail: Mail = MAIL) -> DomainError:
    with pytest.raises(DomainError) as refused:
        await SmtpMailer(server, SENDER).send(mail)
    error = refused.value
    assert "ada@" not in f"{error.detail} {error.__cause__}"
    return error


async def test_a_mail_arrives_in_text_and_in_html(mailbox: Mailbox) -> None:
    async with listening(mailbox) as server:
        await SmtpMailer(server, SENDER).send(MAIL)
    (message,) = mailbox.taken
    assert mailbox.recipients == ["ada@example.test"]
    assert {name: message[name] for name in ("From", "To", "Subject", "Message-ID", "Auto-Submitted")} == {
        "From": "Acme GmbH <billing@acme.example>",
        "To": "ada@example.test",
        "Subject": "Receipt from Café Acme",
        "Message-ID": "<receipt.inv_1@acme.example>",
        "Auto-Submitted": "auto-generated",
    }
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert (text.get_content().strip(), html.get_content().strip()) == ("12,50 €", "<p>12,50 €</p>")


async def test_a_mail_that_is_sent_again_is_the_same_message(mailbox: Mailbox) -> None:
    async with listening(mailbox) as server:
        for _ in range(2):
            await SmtpMailer(server, SENDER).send(MAIL)
    first, again = mailbox.taken
    assert first["Message-ID"] == again["Message-ID"]


@pytest.mark.parametrize(
    "name", ["Acme\r\nBcc: eve@example.test", "Acme\nBcc: eve@example.test\n\nBuy", "Acme\u2028Bcc: eve"]
)
async def test_nothing_in_a_mail_becomes_a_header_of_its_own(mailbox: Mailbox, name: str) -> None:
    async with listening(mailbox) as server:
        await SmtpMailer(server, SENDER).send(replace(MAIL, subject=f"Receipt from {name}"))
    (message,) = mailbox.taken
    assert message["Bcc"] is None
    assert message["Subject"] == f"Receipt from {' '.join(name.split())}"
    assert mailbox.recipients == ["ada@example.test"]


@pytest.mark.parametrize(
    "to", ["eve,ada@example.test", "a>b@example.test", "ada:;@example.test", '"x"@example.test']
)
async def test_one_address_is_one_recipient_however_it_is_written(mailbox: Mailbox, to: str) -> None:
    async with listening(mailbox) as server:
        await SmtpMailer(server, SENDER).send(replace(MAIL, to=to))
    (message,) = mailbox.taken
    assert len(message["To"].addresses) == 1
    assert message["To"].addresses[0].domain == "example.test"
    assert len(mailbox.recipients) == 1
    assert mailbox.recipients[0].endswith("@example.test")


@pytest.mark.parametrize(
    "to", ["ada@example.test,eve", "ada@example.test>", "ada@[127.0.0.1]", "ada@", "@a.example"]
)
async def test_what_is_no_address_is_refused_for_good(mailbox: Mailbox, to: str) -> None:
    async with listening(mailbox) as server:
        error = await refusal(server, replace(MAIL, to=to))
    assert isinstance(error, ProviderRefused)
    assert error.code == "mail_refused"
    assert mailbox.taken == []


@pytest.mark.parametrize(
    ("step", "answer", "kind", "code"),
    [
        ("RCPT", "550 no such user ada@example.test", ProviderRefused, "mail_refused"),
        ("RCPT", "450 come back later", Unavailable, "mail_server_unavailable"),
        ("DATA", "554 looks like spam", ProviderRefused, "mail_refused"),
        ("DATA", "452 disk full", Unavailable, "mail_server_unavailable"),
        ("MAIL", "550 you are not acme.example", Unavailable, "mail_server_misconfigured"),
        ("MAIL", "451 not now", Unavailable, "mail_server_unavailable"),
        ("DATA", "421 closing", Unavailable, "mail_server_unavailable"),
    ],
)
async def test_a_refusal_says_whether_to_try_again(
    mailbox: Mailbox, step: str, answer: str, kind: type[DomainError], code: str
) -> None:
    mailbox.answers[step] = answer
    async with listening(mailbox) as server:
        error = await refusal(server)
    assert (type(error), error.code) == (kind, code)


async def test_an_address_that_the_server_cannot_be_told_is_refused_for_good(mailbox: Mailbox) -> None:
    async with listening(mailbox, enable_SMTPUTF8=False) as server:
        error = await refusal(server, replace(MAIL, to="ädä@example.test"))
    assert (type(error), error.code) == (ProviderRefused, "mail_refused")


async def test_a_server_that_is_away_is_tried_again(mailbox: Mailbox) -> None:
    async with listening(mailbox) as server:
        pass
    error = await refusal(server)
    assert (type(error), error.code) == (Unavailable, "mail_server_unavailable")


async def test_a_password_is_told_through_starttls(mailbox: Mailbox, certificate: ssl.SSLContext) -> None:
    async with listening(mailbox, tls_context=certificate, authenticator=known) as server:
        await SmtpMailer(replace(server, username="acme", password="s3cret"), SENDER).send(MAIL)
    assert mailbox.encrypted == [True]


async def test_a_password_is_told_through_tls(mailbox: Mailbox, certificate: ssl.SSLContext) -> None:
    async with listening(mailbox, tls=certificate, authenticator=known, auth_require_tls=False) as server:
        await SmtpMailer(replace(server, username="acme", password="s3cret"), SENDER).send(MAIL)
    assert len(mailbox.taken) == 1


async def test_a_password_is_not_told_without_encryption(mailbox: Mailbox) -> None:
    asked = []

    def listen(*told: Any) -> AuthResult:
        asked.append(told)
        return AuthResult(success=True)

    async with listening(mailbox, authenticator=listen, auth_require_tls=False) as server:
        error = await refusal(replace(server, username="acme", password="s3cret"))
    assert (error.code, asked, mailbox.taken) == ("mail_server_misconfigured", [], [])


async def test_a_wrong_password_waits_for_somebody_to_set_it_right(
    mailbox: Mailbox, certificate: ssl.SSLContext
) -> None:
    async with listening(mailbox, tls_context=certificate, authenticator=known) as server:
        error = await refusal(replace(server, username="acme", password="wr0ng"))
    assert (type(error), error.code) == (Unavailable, "mail_server_misconfigured")
    assert "wr0ng" not in f"{error.detail} {server!r}"


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_server_with_anybodys_certificate_is_told_nothing(
    mailbox: Mailbox, certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    options: dict[str, Any] = {"tls": certificate} if at_once else {"tls_context": certificate}
    async with listening(mailbox, **options) as server:
        error = await refusal(server)
    assert (error.code, mailbox.taken) == ("mail_server_misconfigured", [])


async def test_where_there_is_no_server_the_log_says_which_mail_was_not_sent() -> None:
    with structlog.testing.capture_logs() as lines:
        await LogMailer().send(MAIL)
    (line,) = lines
    assert (line["event"], line["mail_id"]) == ("mail_not_sent", "receipt.inv_1")
    assert not {"ada@example.test", MAIL.subject, MAIL.text} & {str(value) for value in line.values()}
    assert "ada" not in repr(line)
