"""The virus scanner's client: one contract for a real clamd and a server that plays one, and what only the latter can.

The real clamd (Debian's clamav-daemon) runs with a database of our own, made offline.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailbot.transport.clamd import (
    Clamd,
    Clean,
    Infected,
    Unscanned,
)
from tests.support.archive_files import deflated_zip
from tests.support.clamd import (
    EICAR,
    SIGNATURE,
    RealClamd,
    plays_clamd,
    read_stream,
)
from tests.support.loopback import free_port
from tests.support.scripted import Peer, Scripted


@pytest.fixture(scope="module")
def real(server_home: Callable[[], Path]) -> Iterator[RealClamd]:
    with RealClamd(server_home()) as running:
        yield running


@pytest.fixture(params=["scripted", *(pytest.param(n, marks=pytest.mark.clamav) for n in ("unix", "tcp"))])
def clamd(request: pytest.FixtureRequest) -> Iterator[Clamd]:
    if request.param == "scripted":
        with Scripted(plays_clamd) as server:
            yield Clamd(f"127.0.0.1:{server.port}", 10)
    else:
        running: RealClamd = request.getfixturevalue("real")
        yield Clamd(running.unix if request.param == "unix" else running.tcp, 30)


def test_it_says_who_it_is(clamd: Clamd) -> None:
    assert str(clamd.version()).startswith("ClamAV 1.")


@pytest.mark.parametrize("content", [b"", b"halo", bytes(900_000)], ids=["empty", "short", "several chunks"])
def test_clean_content_is_clean(clamd: Clamd, content: bytes) -> None:
    assert clamd.scan(content) == Clean()


def test_a_virus_has_a_name(clamd: Clamd) -> None:
    found = clamd.scan(EICAR)
    assert isinstance(found, Infected)
    assert found.signature.startswith(SIGNATURE)


def test_too_much_is_neither_clean_nor_an_outage(clamd: Clamd) -> None:
    found = clamd.scan(bytes(30_000_000))
    assert isinstance(found, Unscanned)
    assert not found.down, found.why


def test_many_scans_behind_each_other(clamd: Clamd) -> None:
    assert [type(clamd.scan(each)) for each in (b"a", EICAR, b"b", EICAR)] == [Clean, Infected, Clean, Infected]


@pytest.mark.clamav
def test_the_real_one_looks_into_mail(real: RealClamd) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@b.id", "c@d.id", "berkas"
    mail.set_content("terlampir")
    mail.add_attachment(
        deflated_zip({"surat/eicar.com": EICAR}), maintype="application", subtype="zip", filename="a.zip"
    )
    found = Clamd(real.unix).scan(mail.as_bytes())
    assert isinstance(found, Infected), found
    assert found.signature.startswith(SIGNATURE)


# What goes wrong


def scripted(play: Callable[[Peer], None], timeout: float = 5) -> Unscanned | Clean | Infected:
    with Scripted(play) as server:
        return Clamd(f"127.0.0.1:{server.port}", timeout).scan(b"isi" * 1000)


def test_nobody_there(tmp_path: Path) -> None:
    assert isinstance(Clamd(f"127.0.0.1:{free_port()}", 2).scan(b"x"), Unscanned)
    found = Clamd(f"unix:{tmp_path}/clamd.ctl", 2).scan(b"x")
    assert found == Unscanned("No such file or directory")
    assert isinstance(Clamd("tidak-ada.invalid:3310", 2).scan(b"x"), Unscanned)
    assert isinstance(Clamd(f"unix:{tmp_path}/{'x' * 200}", 2).scan(b"x"), Unscanned)


def test_silence_ends() -> None:
    started = time.monotonic()
    assert scripted(lambda peer: peer.wait_for_end(), 0.5) == Unscanned("no answer within 0.5 s")
    assert time.monotonic() - started < 5


def test_an_answer_that_trickles_ends_too() -> None:
    def trickle(peer: Peer) -> None:
        for _ in range(40):
            peer.raw(b"s")
            time.sleep(0.05)
        peer.close()

    # to its end it would be told "it closed the connection"
    assert scripted(trickle, 0.5) == Unscanned("no answer within 0.5 s")


@pytest.mark.parametrize(
    ("answer", "why"),
    [(b"", "without an answer"), (b"stream: ", "it answered"), (b"nonsense\0", "it answered 'nonsense'"),
     (b"HTTP/1.1 400 Bad Request\r\n\r\n", "it answered"), (b"x" * 100_000, "it answered"),
     (b"stream: Can't allocate memory ERROR\0", "Can't allocate memory"), (b"\xff\xfe\0", "it answered")],
)  # fmt: skip
def test_a_strange_answer_is_no_verdict(answer: bytes, why: str) -> None:
    def play(peer: Peer) -> None:
        read_stream_of_scan(peer)
        peer.raw(answer)
        peer.close()

    found = scripted(play)
    assert isinstance(found, Unscanned)
    assert why in found.why
    assert found.down


def read_stream_of_scan(peer: Peer) -> None:
    assert peer.read(10) == b"zINSTREAM\0"
    assert read_stream(peer) == b"isi" * 1000


def test_a_broken_connection_is_no_verdict() -> None:
    assert isinstance(scripted(lambda peer: peer.reset()), Unscanned)


def test_a_signatures_name_is_made_fit_to_be_shown() -> None:
    def play(peer: Peer) -> None:
        read_stream_of_scan(peer)
        peer.raw(b"stream: Evil\r\n\x1b[2JName FOUND\0")
        peer.close()

    assert scripted(play) == Infected("Evil[2JName")
