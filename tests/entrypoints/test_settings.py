"""What the environment may say, and how it is told when it says something else."""

from datetime import timedelta
from pathlib import Path

import pytest

from entrypoints.commands.settings import MASK, settings_listed
from entrypoints.settings import InvalidSettings, Settings

KEYS = {
    "STRIPE_TEST_SECRET_KEY": "sk_test_abc",
    "STRIPE_TEST_PUBLISHABLE_KEY": "pk_test_abc",
    "STRIPE_TEST_WEBHOOK_SECRET": "whsec_abc",
    "STRIPE_LIVE_SECRET_KEY": "rk_live_abc",
    "STRIPE_LIVE_PUBLISHABLE_KEY": "pk_live_abc",
    "STRIPE_LIVE_WEBHOOK_SECRET": "whsec_def,whsec_older",
}

ROOT = Path(__file__).parents[2]
VARIABLES = {str(field.validation_alias) for field in Settings.model_fields.values()}
SMTP_FORM = (
    "SMTP_URL: must be smtp://user:password@host:port or smtps://…; "
    "what is special in user or password is written as %40 for @"
)
PROXIES_FORM = "FORWARDED_ALLOW_IPS: must be addresses or networks, as 10.0.0.7,10.1.0.0/16"
FROM_FORM = "MAIL_FROM: must be one address: billing@acme.example, or Acme <billing@acme.example>"
MAIL = {
    "SMTP_URL": "smtp://acme%40mail:p%2Fw@mail.acme.example",
    "MAIL_FROM": '"Acme, Inc." <billing@acme.example>',
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


def test_nothing_needs_to_be_set() -> None:
    settings = Settings.read()
    assert settings.database_url is None
    assert settings.stripe_test is None
    assert settings.stripe_live is None
    assert settings.home.is_absolute()
    assert settings.home.name == "counterfoil"


def test_everything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in {
        **KEYS,
        "DATABASE_URL": "postgresql://u:p@h/d",
        "COUNTERFOIL_HOME": "~/there",
        "COUNTERFOIL_POOL_SIZE": "4",
        "COUNTERFOIL_CHECKOUT_HOURS": "48",
        "COUNTERFOIL_PUBLIC_URL": "https://pay.example.com/",
        "STRIPE_API_BASE": "http://127.0.0.1:12111",
    }.items():
        monkeypatch.setenv(variable, value)
    settings = Settings.read()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://u:p@h/d"
    assert settings.home == Path("~/there").expanduser()
    assert settings.pool_size == 4
    assert settings.checkout_lifetime == timedelta(days=2)
    assert settings.public_url == "https://pay.example.com"
    assert settings.stripe_test is not None
    assert settings.stripe_test.secret_key.get_secret_value() == "sk_test_abc"
    assert settings.stripe_test.api_base == "http://127.0.0.1:12111"
    assert settings.stripe_live is not None
    assert settings.stripe_live.publishable_key == "pk_live_abc"


def test_other_programs_variables_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    monkeypatch.setenv("POOL_SIZE", "77")
    monkeypatch.setenv("PUBLIC_URL", "https://other.example")
    settings = Settings.read()
    assert settings.home != Path("/somewhere")
    assert settings.pool_size == 6
    assert settings.public_url is None


def test_what_is_given_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERFOIL_HOME", "/there")
    assert Settings.read(home="/here").home == Path("/here")


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (*KEYS, "DATABASE_URL", "COUNTERFOIL_POOL_SIZE"):
        monkeypatch.setenv(variable, "")
    assert Settings.read() == Settings.read(pool_size=6)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"STRIPE_TEST_SECRET_KEY": "sk_live_abc"},
            "STRIPE_TEST_SECRET_KEY holds a live key: give a test key, which starts with sk_test_",
        ),
        (
            {"STRIPE_LIVE_SECRET_KEY": "rk_test_abc"},
            "STRIPE_LIVE_SECRET_KEY holds a test key: give a live key, which starts with sk_live_",
        ),
        (
            {"STRIPE_TEST_PUBLISHABLE_KEY": "pk_live_abc"},
            "STRIPE_TEST_PUBLISHABLE_KEY holds a live key: give a test key, which starts with pk_test_",
        ),
        (
            {"STRIPE_TEST_SECRET_KEY": "pk_test_abc"},
            "STRIPE_TEST_SECRET_KEY must start with sk_test_ or rk_test_",
        ),
        ({"STRIPE_LIVE_WEBHOOK_SECRET": "abc"}, "STRIPE_LIVE_WEBHOOK_SECRET must start with whsec_"),
        (
            {"STRIPE_TEST_SECRET_KEY": "sk_test_abc"},
            "STRIPE_TEST_WEBHOOK_SECRET is missing: STRIPE_TEST_SECRET_KEY is of no use without it",
        ),
        (
            {"STRIPE_LIVE_WEBHOOK_SECRET": "whsec_abc"},
            "STRIPE_LIVE_SECRET_KEY is missing: STRIPE_LIVE_WEBHOOK_SECRET is of no use without it",
        ),
        ({"SMTP_URL": MAIL["SMTP_URL"]}, "MAIL_FROM is missing: SMTP_URL is of no use without it"),
        ({**MAIL, "SMTP_URL": "mail.acme.example:587"}, SMTP_FORM),
        ({**MAIL, "SMTP_URL": "smtp://acme:s3cret@x:many"}, SMTP_FORM),
        ({**MAIL, "SMTP_URL": "smtp://acme:s3/cret@mail.acme.example"}, SMTP_FORM),
        (
            {**MAIL, "SMTP_URL": "smtp://acme@mail.acme.example"},
            "SMTP_URL: must have both a user and a password, or neither",
        ),
        ({"MAIL_FROM": "Acme"}, FROM_FORM),
        ({"MAIL_FROM": "a@acme.example, b@acme.example"}, FROM_FORM),
        ({"MAIL_FROM": "Acme <billing@acme.example\r\nBcc: eve@example.test>"}, FROM_FORM),
        ({"FORWARDED_ALLOW_IPS": "*"}, PROXIES_FORM),
        ({"FORWARDED_ALLOW_IPS": "10.0.0.7, proxy.acme.example"}, PROXIES_FORM),
        ({"FORWARDED_ALLOW_IPS": "10.0.0.7/8"}, PROXIES_FORM),
        ({"FORWARDED_ALLOW_IPS": "127.0.0.1,0.0.0.0/0"}, PROXIES_FORM),
        ({"FORWARDED_ALLOW_IPS": "::/0"}, PROXIES_FORM),
        ({"STRIPE_API_BASE": "stripe.test"}, "STRIPE_API_BASE: must start with http:// or https://"),
        (
            {"COUNTERFOIL_POOL_SIZE": "0"},
            "COUNTERFOIL_POOL_SIZE: Input should be greater than or equal to 1",
        ),
    ],
)
def test_the_variable_at_fault_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], message: str
) -> None:
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidSettings) as refused:
        Settings.read()
    assert str(refused.value) == message


def test_a_mail_server_is_read_from_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.read().mail_server is None
    for variable, value in MAIL.items():
        monkeypatch.setenv(variable, value)
    server = Settings.read().mail_server
    assert server is not None
    assert (server.host, server.port, server.tls) == ("mail.acme.example", 587, False)
    assert server.username == "acme@mail"
    assert server.password is not None
    assert server.password.get_secret_value() == "p/w"
    assert str(server.sender) == '"Acme, Inc." <billing@acme.example>'
    monkeypatch.setenv("SMTP_URL", "smtps://mail.acme.example")
    server = Settings.read().mail_server
    assert server is not None
    assert (server.port, server.tls, server.username, server.password) == (465, True, None, None)


def test_no_text_shows_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in {**KEYS, "DATABASE_URL": "postgresql://u:abc@h/d"}.items():
        monkeypatch.setenv(variable, value.replace("abc", "hidden").replace("def", "hidden"))
    monkeypatch.setenv("SMTP_URL", "smtp://acme:hidden@mail.acme.example")
    monkeypatch.setenv("MAIL_FROM", MAIL["MAIL_FROM"])
    monkeypatch.setenv("STRIPE_TEST_PUBLISHABLE_KEY", "pk_test_shown")
    monkeypatch.setenv("STRIPE_LIVE_PUBLISHABLE_KEY", "pk_live_shown")
    settings = Settings.read()
    for shown in (settings, settings.stripe_test, settings.stripe_live, settings.mail_server):
        assert "hidden" not in f"{shown} {shown!r}"


def test_every_setting_is_listed_with_its_meaning_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in {
        **{name: value.replace("abc", "hidden").replace("def", "hidden") for name, value in KEYS.items()},
        "DATABASE_URL": "postgresql://u:hidden@h/d",
        "STRIPE_API_BASE": "https://user:hidden@stripe.test/v1@2",
        "STRIPE_TEST_PUBLISHABLE_KEY": "pk_test_shown",
        "STRIPE_LIVE_PUBLISHABLE_KEY": "",
    }.items():
        monkeypatch.setenv(variable, value)
    listed = {setting.variable: setting for setting in settings_listed(Settings.read())}
    assert len(listed) == len(Settings.model_fields)
    assert all(setting.meaning for setting in listed.values())
    assert "hidden" not in repr(listed)
    assert {name for name, setting in listed.items() if setting.secret} == {
        "DATABASE_URL",
        "COUNTERFOIL_LOGIN_PASSWORD",
        "SMTP_URL",
        *(name for name in KEYS if not name.endswith("PUBLISHABLE_KEY")),
    }
    assert listed["STRIPE_API_BASE"].value == f"https://{MASK}@stripe.test/v1@2"
    assert listed["STRIPE_TEST_PUBLISHABLE_KEY"].value == "pk_test_shown"
    assert (listed["DATABASE_URL"].value, listed["DATABASE_URL"].default) == (MASK, None)
    absent = listed["STRIPE_LIVE_PUBLISHABLE_KEY"]
    assert (absent.value, absent.is_set) == (None, False)
    assert (listed["COUNTERFOIL_POOL_SIZE"].value, listed["COUNTERFOIL_POOL_SIZE"].default) == ("6", "6")


def test_every_setting_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    for variable in VARIABLES:
        assert f"`{variable}`" in readme


def test_every_setting_reaches_the_containers() -> None:
    compose = (ROOT / "compose.yaml").read_text()
    for variable in VARIABLES - {"COUNTERFOIL_HOME", "POSTGRES_BIN_DIR"}:  # of the image, which has no server
        assert f"  {variable}: " in compose
