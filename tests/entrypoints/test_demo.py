"""`counterfoil demo`, as a process that has nothing."""

import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.entrypoints.counterfoil_process import counterfoil, exists, postmaster, running

BOOKED = (
    "customer.created",
    "subscription.created",
    "subscription_item.created",
    "purchase.completed",
    "payment.succeeded",
)


def test_once_walks_to_the_last_event_and_leaves_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    elsewhere = {"DATABASE_URL": "postgresql://not.used/", "STRIPE_LIVE_SECRET_KEY": "sk_live_not_used"}
    ended = counterfoil(home, "demo", "--once", **elsewhere)
    assert (ended.returncode, ended.stderr) == (0, "")
    stored = re.findall(r"stored +#(\d+) +(\S+) +(\w+)", ended.stdout)
    for event in BOOKED:
        assert [name for _, name, _ in stored].count(event) == 1, event
    failed = next(int(number) for number, name, _ in stored if name == "payment.failed")
    assert all(int(number) > failed for number, name, _ in stored if name in BOOKED)
    for shown in (r"pricing model +pm_", r"subscription +sub_.* active", r"purchase +pur_.* paid"):
        assert re.search(shown, ended.stdout), shown
    assert re.search(r"payment +pay_.* succeeded, 25\.00 USD", ended.stdout)
    assert re.search(r"stripe_customer_id +cus_", ended.stdout)
    assert re.search(r"POST /v1/check(.|\n)*POST /v1/track(.|\n)*usage.threshold_reached", ended.stdout)
    assert "\x1b" not in ended.stdout
    assert list(home.iterdir()) == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="the lines to try use curl")
def test_it_stays_up_and_its_lines_work(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(tmp_path, home, "demo", "--port", "0") as demo:
        lines = demo.wait_for(r"(?s)(export API=.*/v1/events[^\n]*\n)")[1]
        demo.wait_for("Ctrl-C ends")
        tried = subprocess.run(
            ["/bin/sh", "-e"], input=lines, capture_output=True, text=True, timeout=30, check=True
        )
        assert tried.stderr == ""
        created, read, checked, tracked, paid, portal, events = tried.stdout.splitlines()
        assert '"external_id":"user_1"' in created
        assert '"external_id":"user_1"' in read
        assert '"allowed":true' in checked
        assert '"used":2,"remaining":3' in tracked
        assert '"succeeded"' in paid
        assert "/portal/demo-" in portal
        assert '"payment.succeeded"' in events
        its_server = postmaster(home / "demo")
        assert demo.stop(signal.SIGINT) == 0
    assert its_server is not None
    assert not exists(its_server)
