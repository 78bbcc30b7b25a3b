"""One bad mail never stops the rest: what breaks our code, what looks like the machine's fault, what kills or hangs."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mailbot.cli.quarantine_view import print_quarantined
from mailbot.daemon.inbox_reader import InboxReader
from mailbot.desk.context import ProcessingResult
from mailbot.desk.inbound.crash_guard import InFlightMarker
from mailbot.errors import StoreUnavailable
from mailbot.mail import analysis
from mailbot.mail.classify.rules import classify
from mailbot.mail.fetched import FetchedMail
from mailbot.mail.message import Classification, InboundMessage
from mailbot.store.queries import show_quarantine
from mailbot.store.unit_of_work import UnitOfWorkFactory
from mailbot.transport.imap.mailbox import Mailbox
from tests.support.dovecot import Dovecot
from tests.support.people import (
    ACHA,
    SALLY,
    TryDesk,
)
from tests.support.postgres import Postgres
from tests.support.settings import imap_settings
from tests.support.stores import make_impatient

Break = Callable[[InboundMessage], None]


@pytest.fixture
def desk(store_url: str, tmp_path: Path) -> Iterator[TryDesk]:
    made = TryDesk(tmp_path, "" if store_url.startswith("sqlite") else store_url)
    yield made
    made.close()


@pytest.fixture
def sqlite_desk(tmp_path: Path) -> Iterator[TryDesk]:
    made = TryDesk(tmp_path)
    yield made
    made.close()


def letter(number: int, subject: str = "", sender: str = ACHA) -> bytes:
    return (
        f"From: Acha <{sender}>\r\nTo: support@helpdesk.example\r\nSubject: {subject or f'Kendala {number}'}\r\n"
        f"Message-ID: <{number}@sekolah.example>\r\nDate: Mon, 3 Nov 2025 10:00:00 +0700\r\n\r\nIsi {number}.\r\n"
    ).encode()


def arrive(desk: TryDesk, *raws: bytes, first_uid: int = 1) -> list[int]:
    arrivals = [FetchedMail(7, first_uid + n, raw, len(raw), None, False) for n, raw in enumerate(raws)]
    return desk.desk.helpdesk.receive("INBOX", arrivals)


def turn_of_the_inbox(desk: TryDesk) -> list[ProcessingResult]:
    """What the reader does first: each mail that was left, by itself."""
    helpdesk = desk.desk.helpdesk
    return [done for inbound_id in helpdesk.unprocessed() for done in helpdesk.process_unprocessed([inbound_id])]


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Break]]:
    """What happens to a mail at the border of understanding; emptied, it is mended."""
    faults: list[Break] = []

    def classify_or_break(message: InboundMessage, *rest: Any) -> Classification:
        for fault in faults:
            fault(message)
        return classify(message, *rest)

    monkeypatch.setattr(analysis, "classify", classify_or_break)
    yield faults


def on(subject: str, error: Exception) -> Break:
    def fault(message: InboundMessage) -> None:
        if message.subject == subject:
            raise error

    return fault


def state_of(desk: TryDesk, inbound_id: int) -> tuple[str, str, int]:
    with UnitOfWorkFactory(desk.desk.store).reading() as work:
        [row] = work.inbound([inbound_id])
    return row.state, row.rule, row.attempts


def test_poison_in_a_batch_of_twenty_and_its_way_out(desk: TryDesk, breaking: list[Break]) -> None:
    breaking.append(on("racun", ZeroDivisionError("a parser broke")))
    raws = [letter(n, "racun" if n == 10 else "") for n in range(20)]
    ids = arrive(desk, *raws)
    done = desk.desk.helpdesk.process(ids, dict(zip(ids, raws, strict=True)))
    assert [d.state for d in done] == ["processed"] * 10 + ["quarantined"] + ["processed"] * 9
    assert desk.numbers() == list(range(12345, 12364))
    [held] = desk.quarantine()
    assert (held.rule, held.sender, held.subject) == ("poison", ACHA, "racun")
    shown = show_quarantine(desk.desk.store, held.id)
    assert shown is not None and "a parser broke" in shown.reason
    assert "Traceback" in shown.traceback and "classify_or_break" in shown.traceback and shown.raw == raws[10]
    desk.deliver()
    before = len(desk.to(ACHA, "acknowledgement"))

    breaking.clear()  # the mend
    [released] = desk.desk.helpdesk.release([held.id])
    desk.deliver()
    assert (released.state, released.number) == ("processed", 12364) and desk.quarantine() == []
    assert len(desk.to(ACHA, "acknowledgement")) == before + 1
    assert desk.last(ACHA, "acknowledgement")["Subject"] == "#12364 - racun"
    assert [m["kind"] for m in desk.ticket(12364)["messages"]].count("report") == 1
    assert state_of(desk, held.id) == ("processed", "person", 1)
    desk.reply(desk.last(SALLY, "notification"), SALLY, "Mohon NPSN.")
    assert desk.ticket(12364)["next_timer"]["kind"] == "reminder"
    desk.pass_time(hours=6.1)
    assert desk.ticket(12364)["reminders_sent"] == 1
    desk.pass_time(hours=18)
    desk.pass_time(hours=24)
    assert desk.ticket(12364)["close_reason"] == "no_reply"


def test_a_reply_that_breaks_us_stops_the_timers_and_a_robots_does_not(desk: TryDesk, breaking: list[Break]) -> None:
    desk.opened()
    answer = desk.answered()
    breaking.append(lambda message: (_ for _ in ()).throw(KeyError("any")))
    robots = desk.reply(answer, ACHA, "Saya cuti.", headers={"Auto-Submitted": "auto-replied"})
    assert robots.outcome == "quarantined" and desk.ticket()["next_timer"]
    assert desk.reply(answer, ACHA, "NPSN 20512345").outcome == "quarantined"
    assert desk.ticket()["status"] == "in_progress" and desk.ticket()["next_timer"] is None
    breaking.clear()
    mine = [held for held in desk.quarantine() if held.id != robots.inbound_id]
    assert [done.number for done in desk.desk.helpdesk.release([mine[0].id])] == [12345]
    assert [m["text"] for m in desk.ticket()["messages"] if m["kind"] == "reply"][-1] == "NPSN 20512345"


@pytest.mark.parametrize("error", [OSError("too many links"), MemoryError()], ids=["OSError", "MemoryError"])
def test_a_mail_that_looks_like_the_machines_fault_is_poison_where_others_get_through(
    desk: TryDesk, breaking: list[Break], error: Exception
) -> None:
    breaking.append(on("racun", error))
    raws = [letter(n, "racun" if n == 3 else "") for n in range(20)]
    ids = arrive(desk, *raws)
    done = desk.desk.helpdesk.process(ids, dict(zip(ids, raws, strict=True)))
    assert [d.state for d in done] == ["processed"] * 3 + ["received"] + ["processed"] * 16
    assert [d.state for d in turn_of_the_inbox(desk)] == ["received"]  # nobody else got through since: not counted
    for count in (1, 2):
        assert state_of(desk, ids[3]) == ("received", "", count)
        desk.pass_time(seconds=1)
        desk.opened(subject="orang lain", sender=f"lain{count}@sekolah.example")
        if count == 1:
            assert [d.state for d in turn_of_the_inbox(desk)] == ["received"]
    [given_up] = turn_of_the_inbox(desk)
    assert given_up.state == "quarantined" and len(desk.numbers()) == 21
    [held] = desk.quarantine()
    shown = show_quarantine(desk.desk.store, held.id)
    assert held.rule == "gave-up" and shown is not None and type(error).__name__ in shown.traceback
    breaking.clear()
    assert desk.desk.helpdesk.release([held.id])[0].state == "processed" and len(desk.numbers()) == 22


def test_alone_with_a_machine_that_fails_a_mail_is_never_given_up(desk: TryDesk, breaking: list[Break]) -> None:
    def no_memory(message: InboundMessage) -> None:
        raise MemoryError

    breaking.append(no_memory)
    raws = [letter(1), letter(2)]
    ids = arrive(desk, *raws)
    for _ in range(9):
        turn_of_the_inbox(desk)
    assert [state_of(desk, i)[0] for i in ids] == ["received", "received"]
    breaking.clear()
    assert [done.state for done in turn_of_the_inbox(desk)] == ["processed", "processed"]
    assert desk.numbers() == [12345, 12346] and desk.quarantine() == []


def test_a_locked_database_quarantines_nothing(tmp_path: Path) -> None:
    desk = TryDesk(tmp_path)
    ids = arrive(desk, letter(1), letter(2))
    make_impatient(desk.desk.store)
    other = sqlite3.connect(tmp_path / "mailbot.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    for _ in range(4):
        with pytest.raises(StoreUnavailable):
            desk.desk.helpdesk.process(ids)
        with pytest.raises(StoreUnavailable):
            desk.desk.helpdesk.process_unprocessed(ids)
    other.rollback()
    assert [state_of(desk, i) for i in ids] == [("received", "", 1)] * 2
    assert [done.state for done in desk.desk.helpdesk.process_unprocessed(ids)] == ["processed"] * 2
    other.close()
    desk.close()


@pytest.mark.postgresql
def test_a_stopped_postgresql_quarantines_nothing(tmp_path: Path) -> None:
    server = Postgres(Path(tempfile.mkdtemp(prefix="mailbot-pg-")))
    server.start()
    try:
        desk = TryDesk(tmp_path, server.create())
        ids = arrive(desk, letter(1), letter(2))
        data = str(server.folder / "data")
        server.run("pg_ctl", "-D", data, "-w", "-m", "fast", "stop")
        for _ in range(4):
            with pytest.raises(StoreUnavailable):
                desk.desk.helpdesk.process(ids)
            with pytest.raises(StoreUnavailable):
                desk.desk.helpdesk.process_unprocessed(ids)
        server.run("pg_ctl", "-D", data, "-w", "-l", str(server.folder / "log"), "start")
        assert [state_of(desk, i) for i in ids] == [("received", "", 1)] * 2
        assert [done.state for done in desk.desk.helpdesk.process_unprocessed(ids)] == ["processed"] * 2
        assert desk.quarantine() == []
        desk.close()
    finally:
        server.stop()


# What breaks, in every process of mailbot's: Python imports it at its start.
_DEADLY = """
    import os, signal
    from mailbot.mail import analysis
    from mailbot.mail.classify.rules import classify

    def deadly(message, *rest):
        if message.subject == "mati":
            os.kill(os.getpid(), signal.SIGKILL)
        if message.subject == "macet":
            import re
            re.match("(a+)+$", "a" * 60 + "b")
        return classify(message, *rest)

    analysis.classify = deadly
"""
# A process of its own, which may die, with the desk in argv[1]: takes in what it is told to, then a turn of the inbox.
_PROCESS = """
    import os, resource, signal, sys, time
    from pathlib import Path
    from mailbot.desk.inbound import crash_guard
    from mailbot.runtime.watchdog import no_longer_than
    from tests.support.people import TryDesk
    from tests.integration.test_poison import arrive, letter, turn_of_the_inbox

    crash_guard.crashes_parser.__defaults__ = (20.0,)  # seconds
    desk = TryDesk(Path(sys.argv[1]))
    if "killed" in sys.argv:  # from outside, with a mail in hand: no mail's fault
        desk.desk.helpdesk._processor._handle = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    how = sys.argv[2:]
    if "full" in how:
        log = desk.desk.store.path.with_suffix(".db-wal")
        resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + 4200, -1))  # room for one page more
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        for _ in range(8):
            try:
                desk.desk.helpdesk.process(desk.desk.helpdesk.unprocessed())
            except Exception as error:
                print(type(error).__name__)
        resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
        print(len(desk.quarantine()), desk.numbers())
    with no_longer_than(6.0 if "first" in how else 90.0):
        if "first" in how:
            raws = [letter(n, how[-1] if n == 2 else "") for n in range(5)]
            desk.desk.helpdesk.process(arrive(desk, *raws))
        for each in desk.desk.helpdesk.unprocessed():
            desk.desk.helpdesk.process_unprocessed([each])
    desk.close()
"""


def run(folder: Path, *how: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(_PROCESS), str(folder), *how]
    breaking = folder.parent / "breaking"
    breaking.mkdir(exist_ok=True)
    (breaking / "sitecustomize.py").write_text(textwrap.dedent(_DEADLY))
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": f"{breaking}{os.pathsep}{root}"}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=root, env=environment)


def test_a_mail_that_kills_the_process_is_set_aside_after_three_deaths(tmp_path: Path) -> None:
    codes = [run(tmp_path / "desk", *how).returncode for how in (("first", "mati"), (), (), ())]
    assert codes == [-signal.SIGKILL] * 3 + [0]
    assert_set_aside(tmp_path / "desk", "mati")


@pytest.mark.slow
def test_a_mail_that_hangs_ends_the_process_and_is_set_aside(tmp_path: Path) -> None:
    done = run(tmp_path / "desk", "first", "macet")
    assert done.returncode == 1 and "Timeout" in done.stderr and "deadly" in done.stderr
    desk = TryDesk(tmp_path / "desk")
    with UnitOfWorkFactory(desk.desk.store).writing() as work:
        for inbound_id in desk.desk.helpdesk.unprocessed()[2:3]:  # two more such deaths
            work.set_inbound(inbound_id, attempts=3)
    desk.close()
    assert run(tmp_path / "desk").returncode == 0
    assert_set_aside(tmp_path / "desk", "macet")


def assert_set_aside(folder: Path, subject: str) -> None:
    desk = TryDesk(folder)
    [held] = desk.quarantine()
    assert (held.rule, held.sender, held.subject) == ("killed", ACHA, subject) and "3 times" in held.reason
    assert not (folder / "in-hand").exists()
    assert desk.numbers() == [12345, 12346, 12347, 12348]  # the others, each once
    assert [done.number for done in desk.desk.helpdesk.release([held.id])] == [12349]
    desk.close()


def test_a_full_disk_quarantines_nothing(tmp_path: Path) -> None:
    desk = TryDesk(tmp_path / "desk")
    ids = arrive(desk, letter(1), letter(2, "x" * 20_000))
    done = run(tmp_path / "desk", "full")
    assert done.stdout.splitlines() == ["StoreUnavailable"] * 8 + ["0 []"] and done.returncode == 0, done.stderr
    assert [state_of(desk, i)[0] for i in ids] == ["processed"] * 2 and desk.quarantine() == []
    desk.close()


def test_who_is_killed_from_outside_again_and_again_blames_no_mail(tmp_path: Path) -> None:
    """As by `timeout 5 mailbot run --once` on a slow machine: the oldest mail is in hand each time."""
    desk = TryDesk(tmp_path / "desk")
    ids = arrive(desk, letter(1), letter(2))
    desk.close()
    assert [run(tmp_path / "desk", "killed").returncode for _ in range(5)] == [-signal.SIGKILL] * 5
    desk = TryDesk(tmp_path / "desk")
    assert [state_of(desk, i) for i in ids] == [("received", "", 6), ("received", "", 1)]
    assert [done.state for done in turn_of_the_inbox(desk)] == ["processed"] * 2 and desk.quarantine() == []
    assert not (tmp_path / "desk" / "in-hand").exists()
    desk.close()


def test_short_runs_beside_a_locked_database_blame_no_mail(tmp_path: Path, breaking: list[Break]) -> None:
    """Each run counts the attempt, and only then somebody locks the database; it ends, and forgets all it knew."""
    other = sqlite3.connect(tmp_path / "mailbot.db", isolation_level=None)
    desk = TryDesk(tmp_path)
    ids = arrive(desk, letter(1), letter(2))
    breaking.append(lambda message: other.execute("BEGIN EXCLUSIVE") and None)
    for _ in range(5):
        desk.close()
        desk = TryDesk(tmp_path)
        make_impatient(desk.desk.store)
        with pytest.raises(StoreUnavailable):
            turn_of_the_inbox(desk)
        other.rollback()
    breaking.clear()
    assert [state_of(desk, i)[::2] for i in ids] == [("received", 2), ("received", 1)]  # the last, not taken back yet
    assert [done.state for done in turn_of_the_inbox(desk)] == ["processed"] * 2 and desk.quarantine() == []
    other.close()
    desk.close()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EMFILE, errno.EIO])
def test_a_full_disk_in_mid_mail_never_counts(desk: TryDesk, breaking: list[Break], number: int) -> None:
    breaking.append(on("besar", OSError(number, "no room for its files")))
    raws = [letter(1, "besar")]
    ids = arrive(desk, *raws)
    for count in range(12):  # small mail gets through each time
        desk.pass_time(seconds=1)
        desk.opened(subject="orang lain", sender=f"lain{count}@sekolah.example", deliver=False)
        assert [d.state for d in turn_of_the_inbox(desk)] == ["received"]
    assert state_of(desk, ids[0]) == ("received", "", 1)
    breaking.clear()
    assert [d.state for d in turn_of_the_inbox(desk)] == ["processed"]


def test_three_inboxes_that_start_together_count_one_attempt(sqlite_desk: TryDesk) -> None:
    ids = arrive(sqlite_desk, letter(1), letter(2), letter(3))
    together = threading.Barrier(3)
    found: list[str] = []

    def start_of_an_inbox() -> None:
        together.wait(10)
        found.extend(done.state for done in turn_of_the_inbox(sqlite_desk))

    loops = [threading.Thread(target=start_of_an_inbox) for _ in range(3)]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join(60)
    assert found and set(found) == {"processed"}
    assert [state_of(sqlite_desk, i) for i in ids] == [("processed", "person", 2)] * 3
    assert len(sqlite_desk.numbers()) == 3


def test_the_mark_of_a_mail_in_hand(tmp_path: Path) -> None:
    path = tmp_path / "in-hand"
    first = InFlightMarker(path, "x")
    assert first.take(7) and oct(path.stat().st_mode & 0o777) == "0o600"
    left_behind = path.read_text()
    assert [InFlightMarker(path, "x").died_with(n) for n in (6, 7)] == [False, True]
    successor = InFlightMarker(path, "x")
    assert [successor.died_with(7), successor.died_with(7)] == [True, False]  # one death, counted once
    first.put_down()
    first.put_down()
    assert not InFlightMarker(path, "x").died_with(7)
    for strange in (left_behind.replace(left_behind.split()[1], "another-boot"), "", "x", "\xff"):
        path.write_text(strange, encoding="latin-1")
        assert not InFlightMarker(path, "x").died_with(7)
    nowhere = InFlightMarker(tmp_path / "none" / "in-hand", "x")
    assert nowhere.take(7) and nowhere.name == ""  # every attempt counts


@pytest.mark.dovecot
def test_what_waits_for_another_attempt_stays_in_the_inbox_and_no_timer_may_fire(
    tmp_path: Path, server_home: Callable[[], Path], breaking: list[Break]
) -> None:
    """The reader on a real server: the others are filed, the mail stays, and is filed when it was handled."""
    breaking.append(on("racun", OSError("disk?")))
    desk = TryDesk(tmp_path)
    with Dovecot(server_home()) as dovecot:
        dovecot.append("support", letter(1), letter(2, "racun"), letter(3))
        mailbox = Mailbox(imap_settings(dovecot.port, "support"), max_size=1_000_000, timeout=20)
        mailbox.open()
        reader = InboxReader(desk.desk.helpdesk, mailbox, "INBOX")
        assert reader.read() == 3 and not reader.all_handled
        assert dovecot.count("support") == 1 and dovecot.count("support", "Mailbot/Processed") == 2
        assert reader.read() == 0 and not reader.all_handled and dovecot.count("support") == 1
        breaking.clear()
        dovecot.append("support", letter(4))
        reader.read()
        assert reader.all_handled and dovecot.count("support") == 0
        assert dovecot.count("support", "Mailbot/Processed") == 4 and len(desk.numbers()) == 4
        breaking.append(on("racun lagi", ValueError("mail")))
        dovecot.append("support", letter(5, "racun lagi"), letter(6))
        reader.read()
        assert reader.all_handled and dovecot.count("support", "Mailbot/Quarantine") == 1
        mailbox.close()
    assert len(desk.numbers()) == 5 and desk.quarantine()[0].rule == "poison"
    desk.close()


def test_the_shell_shows_poison_without_reading_it_again(
    tmp_path: Path, breaking: list[Break], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    breaking.append(on("racun", ZeroDivisionError("a parser broke")))
    desk = TryDesk(tmp_path)
    desk.write(ACHA, "racun", "Isi yang tidak dibaca")
    [held] = desk.quarantine()
    found = show_quarantine(desk.desk.store, held.id)
    assert found is not None and found.raw is not None

    def deadly(raw: bytes) -> None:
        raise AssertionError("it was parsed again")

    monkeypatch.setattr("mailbot.mail.mime.parser.parse_message", deadly)
    print_quarantined(found.as_json(), found.raw, desk.settings.helpdesk.zone)
    shown = capsys.readouterr().out
    assert "a parser broke" in shown and "Traceback" in shown and ACHA in shown and "tidak dibaca" not in shown
    desk.close()


def test_several_threads_are_bound_by_the_earliest_end(tmp_path: Path) -> None:
    code = (
        "import threading, time\nfrom mailbot.runtime.watchdog import no_longer_than\n"
        "def quick():\n    with no_longer_than(60):\n        pass\n"
        "with no_longer_than(1):\n    t = threading.Thread(target=quick); t.start(); t.join()\n    time.sleep(40)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=35)
    assert done.returncode == 1 and "Timeout" in done.stderr
    code = (
        "import time\nfrom mailbot.runtime.watchdog import no_longer_than\n"
        "with no_longer_than(0.5): pass\ntime.sleep(1)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=35).returncode == 0


def test_what_another_thread_has_in_hand_is_no_mail_that_was_left(sqlite_desk: TryDesk, breaking: list[Break]) -> None:
    seen: list[list[ProcessingResult]] = []
    breaking.append(lambda message: seen.append(turn_of_the_inbox(sqlite_desk)))
    raw = letter(1)
    [inbound_id] = arrive(sqlite_desk, raw)
    sqlite_desk.desk.helpdesk.process([inbound_id], {inbound_id: raw})
    assert seen == [[]] and state_of(sqlite_desk, inbound_id) == ("processed", "person", 1)
