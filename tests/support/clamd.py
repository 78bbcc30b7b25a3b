"""A real clamd on a unix socket and on loopback, with a signature database of our own: the EICAR test file's hash.

`RealClamd(home)`: `unix` and `tcp` are its addresses for `[attachments] clamd`. EICAR is the harmless file that every
scanner calls a virus (eicar.org); it is put together here so that no scanner of this machine stumbles over the source.
`plays_clamd` is a script for `Scripted`: as much of clamd as mailbot speaks with.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import struct
import subprocess
from pathlib import Path
from types import TracebackType

from tests.support.loopback import (
    free_port,
    listening,
    until,
)
from tests.support.programs import find_program
from tests.support.scripted import Peer

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
SIGNATURE = "Mailbot.Test.Eicar"
LIMIT = 1_048_576  # of a stream, as it plays here

_CONFIG = """
DatabaseDirectory {home}/db
LocalSocket {home}/clamd.ctl
LocalSocketMode 666
TCPSocket {port}
TCPAddr 127.0.0.1
TemporaryDirectory {home}/tmp
LogFile {home}/clamd.log
PidFile {home}/clamd.pid
User {user}
StreamMaxLength 1M
Foreground yes
"""


class RealClamd:
    """A clamd that knows one virus. `StreamMaxLength` is 1 MB."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.unix = f"unix:{home}/clamd.ctl"
        self.tcp = f"127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        for folder in ("db", "tmp"):
            (home / folder).mkdir()
        digest = hashlib.md5(EICAR, usedforsecurity=False).hexdigest()
        (home / "db" / "test.hdb").write_text(f"{digest}:{len(EICAR)}:{SIGNATURE}\n", encoding="ascii")
        pattern = EICAR[:40].hex()
        (home / "db" / "test.ndb").write_text(f"{SIGNATURE}.Text:0:*:{pattern}\n", encoding="ascii")
        user = "clamav" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            who = pwd.getpwnam(user)
            for path in (home, *home.rglob("*")):
                os.chown(path, who.pw_uid, who.pw_gid)
        (home / "clamd.conf").write_text(_CONFIG.format(home=home, port=self.port, user=user), encoding="utf-8")

    def start(self) -> None:
        """Start it; back when it takes connections."""
        program = find_program("clamd")
        assert program is not None
        (self.home / "clamd.ctl").unlink(missing_ok=True)
        with (self.home / "out").open("ab") as out:
            self._process = subprocess.Popen([program, "-c", str(self.home / "clamd.conf")], stdout=out, stderr=out)
        process = self._process
        until(lambda: process.poll() is not None or listening(self.port), 60, "clamd takes connections")
        assert process.poll() is None, (self.home / "out").read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """Stop it; its socket file stays, as after a crash."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            self._process = None

    def __enter__(self) -> RealClamd:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def read_stream(peer: Peer) -> bytes | None:
    """What a client streams; None past the limit, as clamd stops there."""
    content = b""
    while True:
        size = struct.unpack("!I", peer.read(4))[0]
        if size == 0:
            return content
        content += peer.read(size)
        if len(content) > LIMIT:
            return None


def plays_clamd(peer: Peer) -> None:
    """clamd(8) as far as mailbot speaks with it."""
    command = b""
    while not command.endswith(b"\0"):
        command += peer.read(1)
    if command == b"zVERSION\0":
        peer.raw(b"ClamAV 1.4.6\0")
    elif command == b"zINSTREAM\0":
        content = read_stream(peer)
        if content is None:
            peer.raw(b"INSTREAM size limit exceeded. ERROR\0")
        elif EICAR in content:
            peer.raw(f"stream: {SIGNATURE} FOUND\0".encode())
        else:
            peer.raw(b"stream: OK\0")
    peer.close()
