"""The resolver is dead, lies, or is slow: in a mount namespace of the daemon's own, where /etc/resolv.conf is ours."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.faulty_desk import FaultyDesk, Watch
from tests.support.dovecot import Dovecot
from tests.support.loopback import until
from tests.support.smtp_sink import Sink

pytestmark = [pytest.mark.dovecot, pytest.mark.chaos, pytest.mark.timeout(400)]


class Resolver:
    """Answers every A query with 127.0.0.1; `mode`: "answers", "silent", "unknown" (NXDOMAIN). `delay`: seconds."""

    def __init__(self, address: str) -> None:
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind((address, 53))
        self.mode, self.delay = "answers", 0.0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            query, client = self._sock.recvfrom(4096)
            if self._ends.is_set() or not query:
                return
            if self.mode == "silent":
                continue
            # each question has its own delay, as with a server that is far away: both families are asked at once
            threading.Timer(self.delay, self._answer, (query, client, self.mode)).start()

    def _answer(self, query: bytes, client: tuple[str, int], mode: str) -> None:
        end = query.index(b"\0", 12) + 5  # RFC 1035 §4.1.2: the question ends with type and class
        found = mode == "answers" and query[end - 4 : end - 2] == b"\0\x01"
        flags = 0x8183 if mode == "unknown" else 0x8180
        answer = query[:2] + struct.pack(">HHHHH", flags, 1, int(found), 0, 0) + query[12:end]
        if found:
            answer += b"\xc0\x0c\0\x01\0\x01" + struct.pack(">IH", 0, 4) + bytes((127, 0, 0, 1))
        with contextlib.suppress(OSError):  # the test is over
            self._sock.sendto(answer, client)

    def close(self) -> None:
        self._ends.set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.sendto(b"", self._sock.getsockname())
        self._thread.join(10)
        self._sock.close()


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("only root, where namespaces are allowed, can give a process a resolver of its own")
    pid = os.getpid()
    made = Resolver(f"127.77.{pid >> 8 & 255}.{pid & 255 or 1}")
    yield made
    made.close()


@pytest.fixture
def named(tmp_path: Path, dovecot: Dovecot, sink: Sink, resolver: Resolver) -> Iterator[FaultyDesk]:
    """A desk that knows its servers by name."""
    conf = tmp_path / "resolv.conf"
    conf.write_text(f"nameserver {resolver._sock.getsockname()[0]}\noptions timeout:2 attempts:1\n")
    wrapper = ("unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', str(conf))
    keys = {
        "imap_host": "imap.desk.example", "imap_more": "allow_insecure = true",
        "smtp_host": "smtp.desk.example", "smtp_more": "allow_insecure = true",
    }  # fmt: skip
    with FaultyDesk(tmp_path, dovecot, sink, wrapper=wrapper, keys=keys) as running:
        running.logged("running", seconds=90)
        yield running


@pytest.mark.parametrize("mode", ["silent", "unknown"])
def test_names_do_not_resolve(named: FaultyDesk, resolver: Resolver, dovecot: Dovecot, mode: str) -> None:
    watch = Watch(named)
    watch.write()
    named.inbox_is_empty()
    until(lambda: not named.outbox(), 30, "nothing waits to be sent")
    resolver.mode = mode
    dovecot.stop()
    dovecot.start()
    named.says("inbox: unreachable")
    named.logged("host name cannot be resolved")
    found = named.check()
    for part in ("IMAP", "SMTP"):
        assert found[part].state == "fail" and "this machine's DNS" in found[part].found, found
    watch.write(2)
    resolver.mode = "answers"
    watch.mended()
    watch.whole(f"dns: {'dead' if mode == 'silent' else 'knows no name'}", seconds=60)
    until(lambda: len(named.lines("IMAP", "works again")) == 1, 30, f"its end is told: {named.lines()}")
    assert len(named.lines("IMAP", "cannot be resolved")) == 1, named.lines()
    # the other server is asked at times while nothing is to be sent: where that fell into the outage, it is told too
    told = len(named.lines("SMTP", "cannot be resolved"))
    assert told <= 1, named.lines()
    until(lambda: len(named.lines("SMTP", "works again")) == told, 90, f"its end is told: {named.lines()}")


def test_a_slow_resolver_is_no_fault(named: FaultyDesk, resolver: Resolver, dovecot: Dovecot) -> None:
    watch = Watch(named)
    resolver.delay = 0.7
    dovecot.stop()
    dovecot.start()
    watch.write(2)
    watch.mended()
    watch.whole("dns: slow", seconds=60, note="0.7 s for each answer")
    assert not named.lines("cannot be resolved")
    resolver.delay = 0.0
