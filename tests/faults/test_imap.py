"""The IMAP server fails under the running daemon: what it says, and that nothing is lost or doubled."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.faulty_desk import (
    FaultyDesk,
    Watch,
    family,
    stopped,
)
from tests.faults.proxy import Proxy
from tests.support.chaos_results import record
from tests.support.dovecot import PASSWORD, Dovecot
from tests.support.loopback import until
from tests.support.smtp_sink import Sink

pytestmark = pytest.mark.dovecot


@pytest.fixture
def proxy(dovecot: Dovecot) -> Iterator[Proxy]:
    with Proxy(dovecot.port) as between:
        yield between


@pytest.fixture
def behind(tmp_path: Path, dovecot: Dovecot, sink: Sink, proxy: Proxy) -> Iterator[FaultyDesk]:
    """A desk that reaches Dovecot through the proxy."""
    with FaultyDesk(tmp_path, dovecot, sink, keys={"imap_port": proxy.port}) as running:
        running.logged("running", seconds=90)
        yield running


def test_restarted(desk: FaultyDesk, watch: Watch, dovecot: Dovecot) -> None:
    watch.write()
    desk.inbox_is_empty()
    dovecot.stop()
    desk.says("inbox: unreachable")
    desk.logged("connection was refused")
    found = desk.check()["IMAP"]
    assert found.state == "fail" and "Check that the server runs" in found.found
    assert not desk.works("imap") and desk.works("smtp")
    dovecot.start()
    watch.write(3)
    watch.mended()
    assert watch.whole("dovecot: restarted") < 40
    desk.says("inbox: reading")
    assert desk.check()["IMAP"].state == "ok" and desk.works("imap")
    assert len(desk.lines("the connection was refused")) == 1 and len(desk.lines("works again")) == 1, desk.lines()
    assert len(desk.lines()) <= 4, desk.lines()  # how the open connection ended may be said in two lines more


@pytest.mark.chaos
@pytest.mark.timeout(300)
def test_hung(desk: FaultyDesk, watch: Watch, dovecot: Dovecot) -> None:
    """The connection stays open, and nobody answers: silence is borne for a minute, then it counts as dead."""
    watch.write()
    desk.inbox_is_empty()
    assert dovecot._process is not None
    with stopped(*family(dovecot._process.pid)):
        desk.says("inbox: unreachable", seconds=120)
        desk.logged("did not answer in time", seconds=5)
        found = desk.check()["IMAP"]
        assert found.state == "fail" and "did not answer in time" in found.found, found
    watch.write(3)
    watch.mended()
    watch.whole("dovecot: hung (SIGSTOP)", seconds=90, note="noticed after a minute of silence")
    assert len(desk.lines("did not answer in time")) <= 2 and len(desk.lines("works again")) == 1, desk.lines()


def test_slow(behind: FaultyDesk, proxy: Proxy) -> None:
    """A trickle: everything takes its time, nothing is an error."""
    watch = Watch(behind)
    behind.says("inbox: reading")
    proxy.piece, proxy.pause = 40, 0.01
    watch.write(3, "Isi yang panjang.\n" * 100)
    watch.mended()
    watch.whole("dovecot: slow (4 kB/s)", note="no fault, only slow: measured while it trickled")
    assert behind.lines() == [] and behind.works("imap")


def test_half_a_literal_and_cut(behind: FaultyDesk, proxy: Proxy) -> None:
    watch = Watch(behind)
    behind.says("inbox: reading")
    proxy.cut_after = 1500
    watch.write(3, "Isi yang panjang.\n" * 400)
    until(lambda: proxy.cuts >= 3, 40, "it was cut three times")
    behind.says("inbox: unreachable")
    proxy.cut_after = 0
    watch.mended()
    watch.whole("dovecot: cut within a literal")
    lost = behind.lines("EOF within a literal")
    assert len(lost) == 1 and "mailbot connects again by itself" in lost[0], behind.lines()
    assert len(behind.lines("works again")) == 1
    for line in behind.lines():
        assert "stays there" in line or "literal" in line or "works again" in line, line


@pytest.mark.chaos
@pytest.mark.timeout(300)
def test_hung_within_a_literal(behind: FaultyDesk, proxy: Proxy) -> None:
    watch = Watch(behind)
    behind.says("inbox: reading")
    proxy.piece, proxy.pause = 200, 0.05
    watch.write(2, "Isi yang panjang.\n" * 2000)
    until(lambda: proxy.connections >= 1 and behind.status().startswith("inbox: reading"), 20, "it reads")
    proxy.hang()
    behind.logged("did not answer in time", seconds=120)
    proxy.piece, proxy.pause = 65536, 0.0
    proxy.flow()
    watch.mended()
    watch.whole("dovecot: hung within a literal", seconds=120)
    assert len(behind.lines("works again")) == 1, behind.lines()


def test_uidvalidity_changed(desk: FaultyDesk, watch: Watch, dovecot: Dovecot) -> None:
    """Mail that was handled and lies in the folder again, under new numbers, opens no second ticket."""
    watch.write(2)
    desk.inbox_is_empty()
    handled = dovecot.mails("support", "Mailbot/Processed")
    dovecot.kill()  # no process of it is left that could write the old numbers back
    desk.says("inbox: unreachable")
    known = re.search(r" V(\d+) ", (dovecot.maildir("support") / "dovecot-uidlist").read_text())
    assert known is not None
    until(lambda: time.time() > int(known[1]) + 1, 60, "Dovecot's UIDVALIDITY is a time in seconds: another one comes")
    for leaf in dovecot.maildir("support").glob("dovecot*"):
        leaf.unlink()  # what a restored backup, or a rebuilt index, looks like
    dovecot.start()
    dovecot.append("support", *handled)
    watch.write(1)
    watch.mended()
    watch.whole("dovecot: UIDVALIDITY changed")
    assert len(desk.lines("UIDVALIDITY")) == 1 and "checked again" in desk.lines("UIDVALIDITY")[0]
    assert dovecot.count("support", "Mailbot/Processed") == 5


def test_folders_deleted_under_it(desk: FaultyDesk, watch: Watch, dovecot: Dovecot) -> None:
    watch.write()
    desk.inbox_is_empty()
    with dovecot.client("support") as client:
        for folder in ("Mailbot/Processed", "Mailbot/Quarantine"):
            assert client.delete(f'"{folder}"')[0] == "OK"
    watch.write(2)
    watch.mended()
    watch.whole("dovecot: processed and quarantine folder deleted")
    assert dovecot.count("support", "Mailbot/Processed") == 2
    told = desk.lines("filing mail")
    assert len(told) == 1 and "Mailbot/Processed" in told[0], desk.lines()
    assert desk.check()["IMAP"].state == "ok"


def test_another_client_empties_the_inbox(desk: FaultyDesk, watch: Watch, dovecot: Dovecot) -> None:
    """What it took before we stored it was never ours; what we stored is handled, although it can't be filed."""
    assert dovecot._process is not None
    seen = []
    for _ in range(6):
        watch.write(4)
        with dovecot.client("support", "INBOX") as other:
            other.store("1:*", "+FLAGS", "(\\Deleted)")
            other.expunge()
        seen.append(len(desk.tickets()))
    desk.inbox_is_empty()
    desk.says("inbox: reading")
    desk.write("akhir@sekolah.example", "Yang terakhir")
    desk.wait_for("akhir@sekolah.example", "acknowledgement")
    subjects = [ticket["subject"] for ticket in desk.tickets()]
    assert len(set(subjects)) == len(subjects)
    got = watch.acknowledged()
    until(lambda: not desk.outbox(), 20, "the outbox is empty")
    for subject in subjects:
        if subject.startswith("Laporan "):
            assert got[f"guru{subject.split()[1]}@sekolah.example"] == 1
    assert desk.lines() == []
    record("dovecot: another client expunges", 0.0, note="what it took before it was read never came to the desk")


QUOTA = "mail_plugins = quota\nplugin {\nquota = count:User\nquota_rule = *:messages=8\nquota_vsizes = yes\n}\n"


def test_quota_full(server_home: Callable[[], Path], tmp_path: Path, sink: Sink) -> None:
    """Handled mail can't be copied out: new mail is handled all the same, and the heap is filed when there is room."""
    without_move = "IMAP4rev1 LITERAL+ IDLE NAMESPACE UIDPLUS ESEARCH UNSELECT CHILDREN"
    with Dovecot(server_home(), capability=without_move, extra=QUOTA) as dovecot:
        dovecot.append("support", *[b"Subject: lama\r\n\r\nlama\r\n"] * 4, folder="INBOX", flags="(\\Deleted)")
        with FaultyDesk(tmp_path, dovecot, sink) as desk:
            desk.logged("running", seconds=90)
            watch = Watch(desk)
            watch.write(4)  # eight mails: full
            desk.logged("OVERQUOTA")
            for person in watch.people:
                desk.wait_for(person, "acknowledgement")
            desk.says("can't be moved out")
            told = desk.lines("OVERQUOTA")
            assert len(told) == 1 and "raise its quota" in told[0] and "New mail is handled" in told[0], told
            with dovecot.client("support", "INBOX") as other:
                other.expunge()
            watch.mended()
            watch.write(2)
            watch.whole("dovecot: quota full")
            until(lambda: len(desk.lines("works again")) == 1, 20, "its end is told")
            assert dovecot.count("support", "Mailbot/Processed") == 6
            assert len(desk.lines()) == 2, desk.lines()


def test_the_password_was_changed(server_home: Callable[[], Path], tmp_path: Path, sink: Sink) -> None:
    """No flood, no hammering of the log-in; the right password and a reload make it whole."""
    with Dovecot(server_home()) as dovecot, FaultyDesk(tmp_path, dovecot, sink) as desk:
        desk.logged("running", seconds=90)
        watch = Watch(desk)
        watch.write()
        desk.inbox_is_empty()
        dovecot.stop()
        conf = dovecot.config.read_text()
        dovecot.config.write_text(conf.replace(f"password={PASSWORD}", "password=lain"))
        dovecot.start()
        desk.says("the log-in is not accepted")
        found = desk.check()["IMAP"]
        assert found.state == "fail" and "Check imap.username and imap.password" in found.found
        told = desk.lines("the log-in was refused")
        assert len(told) == 1 and told[0].startswith("error"), told
        assert PASSWORD not in desk.log()
        dovecot.stop()
        dovecot.config.write_text(conf)
        dovecot.start()
        watch.write(2)
        watch.mended()
        watch.whole("dovecot: credentials changed", seconds=90)
        assert len(desk.lines("works again")) == 1, desk.lines()
