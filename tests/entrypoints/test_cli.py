"""The command line, as processes on real servers."""

import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import httpx
import msgspec
import pytest

from adapters.memory.clock import FixedClock
from adapters.postgres.embedded.postmaster import wait_until
from domain.errors import NotFound, Rejected
from entrypoints.commands.acting import owner
from entrypoints.commands.organization import checked
from tests.databases import SERVICE, Database
from tests.entrypoints.counterfoil_process import counterfoil, environment, exists, postmaster, running
from tests.entrypoints.http.conftest import in_memory, organization


def refusal(home: Path, *words: str, **more: str) -> str:
    """The one line on standard error of a command that fails."""
    ended = counterfoil(home, *words, **more)
    assert ended.returncode == 1, ended.stderr
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    return line


def test_a_second_command_finds_the_server_that_serve_runs(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(tmp_path, home, "serve", "--port", "0") as server:
        url = server.wait_for(r"listens on (\S+)")[1]
        server.wait_for("sandbox at .* stands in for Stripe")
        assert httpx.get(f"{url}/health/ready").status_code == 200
        its_server = postmaster(home)
        made = counterfoil(
            home, "organization", "create", "Acme", "--owner-email", "owner@acme.test", "--json"
        )
        assert (made.returncode, made.stderr) == (0, "")
        created = msgspec.json.decode(made.stdout)
        assert set(created) == {"organization_id", "user_id", "test_key", "live_key"}
        for mode in ("test", "live"):
            key = {"Authorization": f"Bearer {created[f'{mode}_key']}"}
            assert httpx.get(f"{url}/v1/catalog", headers=key).status_code == 200
        again = refusal(home, "organization", "create", "ACME", "--owner-email", "other@acme.test")
        assert again.startswith("counterfoil: slug_taken: ")
        taken = refusal(home, "serve", "--port", url.rpartition(":")[2])
        assert taken.startswith("counterfoil: address_unavailable: ")
        assert postmaster(home) == its_server
        assert server.stop() == 0
    assert its_server is not None
    assert not exists(its_server)
    assert created["test_key"] not in server.shown.read_text() + server.logged.read_text()


def test_what_was_made_without_serve_is_there_when_it_comes(tmp_path: Path) -> None:
    home = tmp_path / "home"
    create = ("organization", "create", "Acme", "--owner-email", "owner@acme.test")
    made = counterfoil(home, *create)
    assert made.returncode == 0
    assert "shown only here" in made.stdout
    key = re.search(r"cf_test_\w+", made.stdout)
    assert key is not None
    assert postmaster(home) is None
    with running(tmp_path / "serve", home, "serve", "--port", "0", "--no-worker") as server:
        url = server.wait_for(r"listens on (\S+)")[1]
        feed = partial(httpx.get, f"{url}/v1/events", headers={"Authorization": f"Bearer {key[0]}"})
        assert feed().json()["data"] == []  # there is nobody to number them
        with running(tmp_path / "worker", home, "worker") as worker:
            worker.wait_for("test mode: no STRIPE_TEST_SECRET_KEY, so its effects wait")
            wait_until(lambda: len(feed().json()["data"]) == 2, 10)
            assert [event["sequence"] for event in feed().json()["data"]] == [1, 2]
            assert worker.stop() == 0
        assert refusal(home, *create).startswith("counterfoil: slug_taken: ")
        assert server.stop(signal.SIGINT) == 0


def test_serve_starts_its_server_again_when_it_was_killed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(tmp_path, home, "serve", "--port", "0") as server:
        url = server.wait_for(r"listens on (\S+)")[1]
        killed = postmaster(home)
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: not exists(killed), 5)
        assert wait_until(lambda: httpx.get(f"{url}/health/ready").status_code == 200, 15)
        assert postmaster(home) not in (None, killed)
        assert server.stop() == 0
    assert postmaster(home) is None


@pytest.mark.parametrize(
    ("name", "owner_email", "slug", "code"),
    [
        ("Acme", "nobody", None, "invalid_owner_email"),
        (" ", "owner@acme.test", None, "invalid_name"),
        ("A" * 257, "owner@acme.test", None, "invalid_name"),
        ("Acme", "owner@acme.test", "No Slug", "invalid_slug"),
    ],
)
def test_what_does_not_fit_is_named(name: str, owner_email: str, slug: str | None, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        checked(name, owner_email, slug)
    assert refused.value.code == code


def test_what_does_not_fit_is_told_in_one_line(tmp_path: Path) -> None:
    line = refusal(tmp_path, "organization", "create", "Acme", "--owner-email", "nobody")
    assert line.startswith("counterfoil: invalid_owner_email: 'nobody': ")


def test_wrong_usage_exits_with_2(tmp_path: Path) -> None:
    assert counterfoil(tmp_path, "organization", "create").returncode == 2
    assert counterfoil(tmp_path, "fly").returncode == 2


def test_helps_and_says_its_version(tmp_path: Path) -> None:
    shown = counterfoil(tmp_path, "--help").stdout
    for command in (
        *("demo", "serve", "worker", "migrate", "settings"),
        *("organization", "keys", "catalog", "inbox", "events", "backfill-stripe-customers"),
    ):
        assert command in shown
    assert counterfoil(tmp_path, "--version").stdout.startswith("counterfoil 0.")


def test_settings_that_cannot_be_are_told_without_their_values(tmp_path: Path) -> None:
    line = refusal(tmp_path, "serve", STRIPE_TEST_SECRET_KEY="sk_live_secret")
    assert line.startswith("counterfoil: invalid_settings: STRIPE_TEST_SECRET_KEY")
    assert "sk_live_secret" not in line


def test_the_shell_can_complete_commands(tmp_path: Path) -> None:
    for words, place, expected in (("counterfoil ke", "1", "keys"), ("counterfoil keys re", "2", "revoke")):
        asked = {"_COUNTERFOIL_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": place}
        assert completed(tmp_path, **asked).split() == [expected]


def completed(home: Path, **asked: str) -> str:
    """What the installed program answers the shell."""
    program = Path(sys.executable).with_name("counterfoil")
    ended = subprocess.run(  # noqa: S603
        [program], env=environment(home, **asked), capture_output=True, text=True, timeout=60, check=True
    )
    return ended.stdout


def test_settings_are_shown_without_secrets(tmp_path: Path) -> None:
    secrets = {
        "DATABASE_URL": "postgresql://me:opensesame@127.0.0.1:1/books",
        "STRIPE_TEST_SECRET_KEY": "sk_test_opensesame",
        "STRIPE_TEST_WEBHOOK_SECRET": "whsec_opensesame",
    }
    for words in (("settings",), ("settings", "--json")):
        shown = counterfoil(tmp_path, *words, **secrets)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert "STRIPE_TEST_SECRET_KEY" in shown.stdout
        assert str(tmp_path) in shown.stdout
        assert "opensesame" not in shown.stdout


def test_a_database_that_is_not_there_is_told_without_its_password(tmp_path: Path) -> None:
    line = refusal(tmp_path, "serve", DATABASE_URL="postgresql://me:opensesame@127.0.0.1:1/books")
    assert line.startswith("counterfoil: database_unreachable: ")
    assert "opensesame" not in line


def test_a_database_of_ones_own_is_migrated_by_migrate_alone(
    tmp_path: Path, blank_database: Database
) -> None:
    create = ("organization", "create", "Acme", "--owner-email", "owner@acme.test", "--json")
    served, administered = blank_database.service_dsn, blank_database.admin_dsn
    assert "run `counterfoil migrate`" in refusal(tmp_path, *create, DATABASE_URL=served)
    migrated = counterfoil(tmp_path, "migrate", "--grant-to", SERVICE, DATABASE_URL=administered)
    assert (migrated.returncode, migrated.stderr) == (0, "")
    assert "applied   0001" in migrated.stdout
    assert counterfoil(tmp_path, *create, DATABASE_URL=served).returncode == 0
    again = counterfoil(tmp_path, "migrate", DATABASE_URL=administered)
    assert "up to date" in again.stdout
    unsafe = refusal(tmp_path, *create, DATABASE_URL=administered)
    assert unsafe.startswith("counterfoil: database_role_unsafe: ")
    grant = ("migrate", "--grant-to", "nobody_yet")
    assert "there is no login nobody_yet" in refusal(tmp_path, *grant, DATABASE_URL=administered)
    made = counterfoil(tmp_path, *grant, DATABASE_URL=administered, COUNTERFOIL_LOGIN_PASSWORD="opensesame")
    assert (made.returncode, made.stderr) == (0, "")
    assert "nobody_yet may serve" in made.stdout
    assert "opensesame" not in made.stdout
    assert not (tmp_path / "postgres").exists()


async def test_with_several_organizations_or_none_one_must_be_named() -> None:
    container, *_ = in_memory(FixedClock())
    for slugs in ([], ["acme", "other"]):
        for slug in slugs:
            await organization(container, slug.title())
        with pytest.raises(NotFound, match="say whose books") as refused:
            await owner(container, None, live=False)
        assert refused.value.code == "organization_required"
    assert (await owner(container, "acme", live=False)).organization_id.startswith("org_")
