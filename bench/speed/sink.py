"""An SMTP server that takes everything and counts it (aiosmtpd, as a process of its own).

    with Sink() as sink:
        sink.port; sink.count()    # how many mails were accepted since the last count, for each local part

The same one for every product. The process tells its counts by a line for each line that it reads, and with
`identify=True` the Message-IDs, which `ids` collects.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections import Counter
from typing import Self

from tests.support.loopback import free_port, listening, until

_MESSAGE_ID = re.compile(rb"(?im)^Message-ID:\s*(\S+)")


class Sink:
    """The server, from `with` to its end."""

    def __init__(self, *, identify: bool = False) -> None:
        self.port = free_port()
        self.ids: list[str] = []
        self._identify = identify

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.speed.sink", str(self.port), *(["identify"] if self._identify else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        until(lambda: listening(self.port), 30, "the sink listens")
        self.count()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    def count(self) -> Counter[str]:
        """Mails by recipient's local part since the last count."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        found, ids = json.loads(self._process.stdout.readline())
        self.ids += ids
        return Counter(found)


class _Counting:
    def __init__(self, identify: bool) -> None:
        self.found: Counter[str] = Counter()
        self.ids: list[str] = []
        self._identify = identify

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        for recipient in envelope.rcpt_tos:  # type: ignore[attr-defined]
            self.found[recipient.partition("@")[0]] += 1
        if self._identify:
            named = _MESSAGE_ID.search(envelope.original_content)  # type: ignore[attr-defined]
            self.ids.append(named[1].decode() if named else "")
        return "250 2.0.0 taken"


async def _serve(port: int, identify: bool) -> None:
    from aiosmtpd.smtp import SMTP

    counting = _Counting(identify)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(counting, loop=loop, enable_SMTPUTF8=True), "127.0.0.1", port)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps((counting.found, counting.ids)), flush=True)
        counting.found.clear()
        counting.ids.clear()
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), sys.argv[2:] == ["identify"]))
