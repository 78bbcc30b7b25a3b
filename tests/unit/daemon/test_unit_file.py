"""mailbot.desk.helpdesk: what it starts, passes in and allows fits what mailbot is."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mailbot.config.layers import secrets
from mailbot.config.model import Settings
from mailbot.monitoring.watcher import HANG_SECONDS

UNIT = Path(__file__).parents[3] / "mailbot.service"


def values(key: str) -> list[str]:
    """Every value of a key, in order."""
    return re.findall(rf"^{key}=(.*)$", UNIT.read_text(), re.MULTILINE)


def seconds(text: str) -> float:
    found = re.fullmatch(r"([0-9]+)(min|s|)", text)
    assert found, text
    return int(found[1]) * (60 if found[2] == "min" else 1)


def test_credentials_are_named_as_the_configuration_reads_them() -> None:
    names = [tuple(value.partition(":")[0].split(".")) for value in values("LoadCredential")]
    assert names == [("imap", "password"), ("smtp", "password")]
    assert set(names) <= secrets()


def test_the_service_may_write_where_the_desk_lies() -> None:
    assert [f"/var/lib/{name}" for name in values("StateDirectory")] == [str(Settings().storage.data_dir)]


def test_the_watchdog_waits_longer_than_a_network_deadline() -> None:
    assert seconds(values("WatchdogSec")[0]) > HANG_SECONDS


def test_stopping_is_given_the_ten_seconds_that_are_promised() -> None:
    assert 10 < seconds(values("TimeoutStopSec")[0]) <= 30


def test_a_wrong_configuration_is_not_tried_again() -> None:
    assert values("RestartPreventExitStatus") == ["2"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="apt-get install systemd")
def test_systemd_finds_its_exposure_low() -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", str(UNIT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    figure = re.search(r"Overall exposure level for mailbot\.service: ([0-9.]+)", done.stdout)
    assert figure, done.stdout + done.stderr
    assert done.returncode == 0
    assert float(figure[1]) <= 2.0
