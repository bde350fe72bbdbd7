"""What the environment says. Secrets are kept out of every text that is made of the settings."""

import re
from datetime import timedelta
from email.headerregistry import Address
from email.utils import getaddresses
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import unquote, urlsplit

from msgspec import Struct
from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.text import EMAIL
from domain.webhook_address import AddressRule

_KEY_PREFIXES: dict[str, tuple[str, ...]] = {
    "STRIPE_TEST_SECRET_KEY": ("sk_test_", "rk_test_"),
    "STRIPE_TEST_PUBLISHABLE_KEY": ("pk_test_",),
    "STRIPE_TEST_WEBHOOK_SECRET": ("whsec_",),
    "STRIPE_LIVE_SECRET_KEY": ("sk_live_", "rk_live_"),
    "STRIPE_LIVE_PUBLISHABLE_KEY": ("pk_live_",),
    "STRIPE_LIVE_WEBHOOK_SECRET": ("whsec_",),
}


class InvalidSettings(Exception):
    """The environment cannot be used as it is: one line for each variable at fault, without its value."""


class StripeMode(Struct, frozen=True):
    """The account that one mode (test or live) is paid through; `api_base` is empty for Stripe itself."""

    secret_key: SecretStr
    publishable_key: str | None
    webhook_secret: SecretStr
    api_base: str | None


class MailServer(Struct, frozen=True):
    """The SMTP server that mail goes through, and whom it is from; `tls`: encrypted from the first byte."""

    host: str
    port: int
    tls: bool
    username: str | None
    password: SecretStr | None
    sender: Address


class Settings(BaseSettings):
    """Every variable the service reads. An empty one is as good as none."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, case_sensitive=True, hide_input_in_errors=True
    )

    database_url: Annotated[
        SecretStr | None,
        Field(
            validation_alias="DATABASE_URL",
            description="postgresql://login:password@host:5432/database; without it, the embedded server",
        ),
    ] = None
    login_password: Annotated[
        SecretStr | None,
        Field(
            validation_alias="COUNTERFOIL_LOGIN_PASSWORD",
            description="for `migrate --grant-to LOGIN`: the login is made if need be, with this password",
        ),
    ] = None
    home: Annotated[
        Path,
        Field(
            validation_alias="COUNTERFOIL_HOME",
            description="where the embedded server and the sandbox keep their data",
        ),
    ] = user_data_path("counterfoil", appauthor=False)
    postgres_bin_dir: Annotated[
        Path | None,
        Field(
            validation_alias="POSTGRES_BIN_DIR",
            description="PostgreSQL's programs, to be used for the embedded server; without it, its own",
        ),
    ] = None
    pool_size: Annotated[
        int,
        Field(
            validation_alias="COUNTERFOIL_POOL_SIZE",
            ge=1,
            le=100,
            description="connections of the API, and as many of the worker",
        ),
    ] = 6
    pool_wait_seconds: Annotated[
        float,
        Field(
            validation_alias="COUNTERFOIL_POOL_WAIT_SECONDS",
            gt=0,
            le=60,
            description="how long a request waits for a free connection before it is answered 503",
        ),
    ] = 2.0
    traces_endpoint: Annotated[
        str | None,
        Field(
            validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
            description="the OpenTelemetry collector that traces are sent to; without it none are made",
        ),
    ] = None
    event_days: Annotated[
        int | None,
        Field(
            validation_alias="COUNTERFOIL_EVENT_DAYS",
            ge=30,
            description="how long events are kept, in days; without it, for good",
        ),
    ] = None
    rate_limit: Annotated[
        int,
        Field(
            validation_alias="COUNTERFOIL_RATE_LIMIT",
            ge=0,
            description="requests a second that one API key may make of each process; 0 is no limit",
        ),
    ] = 1000
    public_url: Annotated[
        str | None,
        Field(
            validation_alias="COUNTERFOIL_PUBLIC_URL",
            description="what links start with; without it, the address served",
        ),
    ] = None
    trusted_proxies: Annotated[
        str,
        Field(
            validation_alias="FORWARDED_ALLOW_IPS",
            description="the proxies before us, whose X-Forwarded-For is believed: their addresses or "
            "networks, with commas between them",
        ),
    ] = "127.0.0.1,::1"
    checkout_hours: Annotated[
        int,
        Field(
            validation_alias="COUNTERFOIL_CHECKOUT_HOURS",
            ge=1,
            le=720,
            description="how long a checkout session can be paid, in hours",
        ),
    ] = 24
    reconcile_hours: Annotated[
        int | None,
        Field(
            validation_alias="COUNTERFOIL_RECONCILE_HOURS",
            ge=1,
            le=360,
            description="every so many hours the worker holds the books against Stripe; without it, never",
        ),
    ] = None
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Field(
            validation_alias="COUNTERFOIL_LOG_LEVEL", description="debug, info, warning or error; to stderr"
        ),
    ] = "info"
    log_format: Annotated[
        Literal["json", "text"], Field(validation_alias="COUNTERFOIL_LOG_FORMAT", description="json or text")
    ] = "json"

    smtp_url: Annotated[
        SecretStr | None,
        Field(
            validation_alias="SMTP_URL",
            description="smtp://user:password@host:587 (STARTTLS) or smtps://…; without it no mail is sent",
        ),
    ] = None
    mail_from: Annotated[
        str | None,
        Field(
            validation_alias="MAIL_FROM",
            description="whom mail is from: billing@acme.example, or Acme <billing@acme.example>",
        ),
    ] = None

    webhook_allow_http: Annotated[
        bool,
        Field(
            validation_alias="COUNTERFOIL_WEBHOOK_ALLOW_HTTP",
            description="whether webhook endpoints may be http://, without TLS",
        ),
    ] = False
    webhook_allow_private: Annotated[
        bool,
        Field(
            validation_alias="COUNTERFOIL_WEBHOOK_ALLOW_PRIVATE",
            description="whether webhook endpoints may be in private networks, or on this machine",
        ),
    ] = False

    stripe_api_base: Annotated[
        str | None,
        Field(
            validation_alias="STRIPE_API_BASE",
            description="any Stripe-compatible server; without it, Stripe",
        ),
    ] = None
    stripe_test_secret_key: Annotated[
        SecretStr | None,
        Field(
            validation_alias="STRIPE_TEST_SECRET_KEY",
            description="sk_test_… or rk_test_…; without it, the sandbox stands in for test mode",
        ),
    ] = None
    stripe_test_publishable_key: Annotated[
        str | None,
        Field(validation_alias="STRIPE_TEST_PUBLISHABLE_KEY", description="pk_test_…, for the browser"),
    ] = None
    stripe_test_webhook_secret: Annotated[
        SecretStr | None,
        Field(
            validation_alias="STRIPE_TEST_WEBHOOK_SECRET",
            description="whsec_…, of the test mode's webhook endpoint; two with a comma while one is rolled",
        ),
    ] = None
    stripe_live_secret_key: Annotated[
        SecretStr | None,
        Field(
            validation_alias="STRIPE_LIVE_SECRET_KEY",
            description="sk_live_… or rk_live_…; without it, live mode is answered 503",
        ),
    ] = None
    stripe_live_publishable_key: Annotated[
        str | None,
        Field(validation_alias="STRIPE_LIVE_PUBLISHABLE_KEY", description="pk_live_…, for the browser"),
    ] = None
    stripe_live_webhook_secret: Annotated[
        SecretStr | None,
        Field(
            validation_alias="STRIPE_LIVE_WEBHOOK_SECRET",
            description="whsec_…, of the live mode's webhook endpoint; two with a comma while one is rolled",
        ),
    ] = None

    @classmethod
    def read(cls, **given: Any) -> "Settings":  # noqa: ANN401
        """From the environment, and before that from what is given by field name. Raises InvalidSettings."""
        # By alias, as a field's own name must not be read from the environment: HOME is somebody else's.
        variables = {str(cls.model_fields[name].validation_alias): value for name, value in given.items()}
        try:
            return cls(**variables)
        except ValidationError as error:
            raise InvalidSettings("\n".join(map(_line, error.errors(include_input=False)))) from None

    @property
    def stripe_test(self) -> StripeMode | None:
        """Stripe's test mode, when it is configured; else the sandbox stands in for it."""
        return self._mode("test")

    @property
    def stripe_live(self) -> StripeMode | None:
        """Stripe's live mode, when it is configured."""
        return self._mode("live")

    @property
    def checkout_lifetime(self) -> timedelta:
        """How long a checkout session can be paid."""
        return timedelta(hours=self.checkout_hours)

    @property
    def webhook_addresses(self) -> AddressRule:
        """Where events may be sent."""
        return AddressRule(self.webhook_allow_http, self.webhook_allow_private)

    @property
    def reconcile_every(self) -> timedelta | None:
        """How often the worker holds the books against Stripe, if it does."""
        return None if self.reconcile_hours is None else timedelta(hours=self.reconcile_hours)

    @property
    def keep_events(self) -> timedelta | None:
        """How long events are kept; None for good."""
        return None if self.event_days is None else timedelta(days=self.event_days)

    @property
    def mail_server(self) -> MailServer | None:
        """Where mail is handed over, when it is configured; else none is sent."""
        if self.smtp_url is None or self.mail_from is None:
            return None
        url = urlsplit(self.smtp_url.get_secret_value())
        tls = url.scheme == "smtps"
        return MailServer(
            host=url.hostname or "",
            port=url.port or (465 if tls else 587),
            tls=tls,
            username=unquote(url.username) if url.username else None,
            password=SecretStr(unquote(url.password)) if url.password else None,
            sender=_mailbox(self.mail_from),
        )

    @field_validator("home")
    @classmethod
    def _folder(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("public_url", "stripe_api_base", "traces_endpoint")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/") if value else None

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        # With uvicorn's own "*", or everybody's network, the first address of the header would be believed,
        # which whoever asks has written.
        try:
            networks = [ip_network(network.strip()) for network in value.split(",")]
        except ValueError:
            networks = []
        if not networks or any(network.prefixlen == 0 for network in networks):
            raise ValueError("must be addresses or networks, as 10.0.0.7,10.1.0.0/16")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            _check_smtp_url(value.get_secret_value())
        return value

    @field_validator("mail_from")
    @classmethod
    def _one_mailbox(cls, value: str | None) -> str | None:
        if value is not None:
            _mailbox(value)
        return value

    @model_validator(mode="after")
    def _mail(self) -> "Settings":
        if self.smtp_url is not None and self.mail_from is None:
            raise ValueError("MAIL_FROM is missing: SMTP_URL is of no use without it")
        return self

    @model_validator(mode="after")
    def _keys(self) -> "Settings":
        for variable, prefixes in _KEY_PREFIXES.items():
            value = _revealed(getattr(self, variable.lower()))
            if value and not value.startswith(prefixes):
                raise ValueError(f"{variable} {_what_is_wrong(variable, value, prefixes)}")
        for mode in ("TEST", "LIVE"):
            key, secret = f"STRIPE_{mode}_SECRET_KEY", f"STRIPE_{mode}_WEBHOOK_SECRET"
            for given, missing in ((key, secret), (secret, key)):
                if getattr(self, given.lower()) and not getattr(self, missing.lower()):
                    raise ValueError(f"{missing} is missing: {given} is of no use without it")
        return self

    def _mode(self, mode: str) -> StripeMode | None:
        key: SecretStr | None = getattr(self, f"stripe_{mode}_secret_key")
        secret: SecretStr | None = getattr(self, f"stripe_{mode}_webhook_secret")
        if key is None or secret is None:
            return None
        return StripeMode(key, getattr(self, f"stripe_{mode}_publishable_key"), secret, self.stripe_api_base)


def _revealed(value: SecretStr | str | None) -> str | None:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _what_is_wrong(variable: str, value: str, prefixes: tuple[str, ...]) -> str:
    mode = "test" if "_TEST_" in variable else "live"
    other = "live" if mode == "test" else "test"
    if f"_{other}_" in value[:10]:
        return f"holds a {other} key: give a {mode} key, which starts with {prefixes[0]}"
    return f"must start with {' or '.join(prefixes)}"


def _check_smtp_url(text: str) -> None:
    wanted = (
        "must be smtp://user:password@host:port or smtps://…; "
        "what is special in user or password is written as %40 for @"
    )
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        raise ValueError(wanted) from None  # the cause would quote the password
    if url.scheme not in ("smtp", "smtps") or not host or url.path.strip("/") or url.query or url.fragment:
        raise ValueError(wanted)
    if bool(url.username) != bool(url.password):
        raise ValueError("must have both a user and a password, or neither")


def _mailbox(text: str) -> Address:
    (name, address), *others = getaddresses([text])
    if others or not re.fullmatch(EMAIL, address) or not text.isprintable():
        raise ValueError("must be one address: billing@acme.example, or Acme <billing@acme.example>")
    local, _, domain = address.rpartition("@")
    return Address(name, local, domain)


def _line(error: Any) -> str:  # noqa: ANN401
    """`COUNTERFOIL_POOL_SIZE: Input should be …`; a rule over several variables names them itself."""
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{error['loc'][0]}: {message}" if error["loc"] else message
