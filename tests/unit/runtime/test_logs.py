"""What is logged: in which form, never a secret, a lasting fault once."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from mailbot.config.logging import configure_for
from mailbot.config.model import Settings
from mailbot.runtime import logs
from mailbot.runtime.clock import ManualClock

log = logging.getLogger("mailbot.test")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _root_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)


def test_a_terminal_gets_text_and_a_pipe_gets_json() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    logs.configure(stream=terminal)
    log.info("taken in: %d", 3)
    logs.configure(stream=pipe)
    log.warning("taken in: %d", 4, extra={"ticket": 12345, "reason": "ü"})
    assert terminal.getvalue().endswith(" info     test: taken in: 3\n")
    line = json.loads(pipe.getvalue())
    assert datetime.fromisoformat(line.pop("at")).tzinfo is not None
    assert line == {
        "level": "warning",
        "logger": "mailbot.test",
        "message": "taken in: 4",
        "ticket": 12345,
        "reason": "ü",
    }


def test_the_form_can_be_fixed() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    logs.configure(form="json", stream=terminal)
    log.info("a")
    logs.configure(form="text", stream=pipe)
    log.info("b")
    assert json.loads(terminal.getvalue())["message"] == "a"
    assert pipe.getvalue().endswith("test: b\n")


def test_a_reload_replaces_the_level_and_doubles_nothing() -> None:
    out = io.StringIO()
    logs.configure("debug", "text", stream=out)
    logs.configure("warning", "text", stream=out)
    log.info("quiet")
    log.warning("loud")
    assert out.getvalue().count("\n") == 1


@pytest.mark.parametrize("form", ["text", "json"])
def test_secrets_are_masked_wherever_they_stand(form: str) -> None:
    out = io.StringIO()
    logs.configure("info", form, secrets=["geheim", "geheim-und-mehr", "ab", ""], stream=out)
    try:
        raise ValueError("login geheim-und-mehr refused")
    except ValueError:
        log.exception("with %s", "geheim", extra={"url": "x:geheim@y"})
    assert "geheim" not in out.getvalue()
    assert "mehr" not in out.getvalue()
    assert out.getvalue().count("***") >= 2


def test_the_configurations_secrets_are_known() -> None:
    out = Terminal()
    settings = Settings(
        imap={"password": "imap-geheim"},
        smtp={"password": "smtp-geheim"},
        storage={"database_url": "postgresql://desk:db%2Dgeheim@host/desk"},
        log={"level": "debug", "format": "text"},
    )
    configure_for(settings, at_least="warning")
    logging.getLogger().handlers[-1].setStream(out)  # type: ignore[attr-defined]
    log.info("not shown")
    log.warning("imap-geheim smtp-geheim db-geheim")
    assert out.getvalue().endswith("test: *** *** ***\n")
    assert "not shown" not in out.getvalue()


def test_a_subject_can_not_write_a_line_of_its_own() -> None:
    out = Terminal()
    logs.configure(stream=out)
    log.info("subject %s", "Hi\n12:00:00 error daemon: all is lost\x1b[2J")
    assert out.getvalue().count("\n") == 1
    assert "\x1b" not in out.getvalue()


def test_libraries_that_log_mail_stay_quiet() -> None:
    out = io.StringIO()
    logs.configure("debug", "text", stream=out)
    logging.getLogger("imapclient.imaplib").debug("< * 1 FETCH (BODY[] {9} secret mail")
    logging.getLogger("mail.log").info("whole mail")
    log.debug("ours")
    assert out.getvalue().count("\n") == 1


def test_an_outage_is_said_when_it_begins_and_when_it_ends() -> None:
    out = io.StringIO()
    logs.configure("info", "text", stream=out)
    clock = ManualClock(datetime(2025, 11, 24, tzinfo=UTC))
    outage = logs.Outage(log, "IMAP mail.b.id:993", clock)
    outage.recovered()
    for _ in range(50):
        outage.failed("connection refused")
        clock.advance(timedelta(seconds=30))
    outage.failed("the password was refused", level=logging.ERROR)
    outage.failed("connection refused")
    assert outage.since == datetime(2025, 11, 24, tzinfo=UTC)
    outage.recovered()
    outage.recovered()
    assert outage.since is None
    lines = [line.split(" ", 1)[1] for line in out.getvalue().splitlines()]
    assert lines == [
        "warning  test: IMAP mail.b.id:993: connection refused",
        "error    test: IMAP mail.b.id:993: the password was refused",
        "info     test: IMAP mail.b.id:993: works again, after 25m and 52 tries",
    ]


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(), "0s"),
        (timedelta(seconds=4), "4s"),
        (timedelta(seconds=200), "3m 20s"),
        (timedelta(hours=2, seconds=7), "2h"),
        (timedelta(days=1, hours=4, minutes=3), "1d 4h"),
    ],
)
def test_how_long_it_lasted_is_told_in_two_units(span: timedelta, words: str) -> None:
    out = io.StringIO()
    logs.configure("info", "text", stream=out)
    clock = ManualClock(datetime(2025, 11, 24, tzinfo=UTC))
    outage = logs.Outage(log, "SMTP", clock)
    outage.failed("down")
    clock.advance(span)
    outage.recovered()
    assert f"after {words} and 1 try" in out.getvalue()
