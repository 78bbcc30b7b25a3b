"""An SMTP server that takes everything and keeps the beginning of each mail: for benches in which people answer mail.

In: connections on loopback. Out: `Sent`s, in the order in which they were accepted. aiosmtpd looks at every line by
itself, some ten seconds for a mail of 33 MB; here only the end is looked for. It speaks as much SMTP (RFC 5321, with
PIPELINING and SIZE) as mailbot's client needs, and no more.
"""

from __future__ import annotations

import re
import socketserver
import threading
from collections import deque
from typing import Self

from tests.support.people import Sent

KEPT = 100_000
_END = b"\r\n.\r\n"
_PATH = re.compile(rb"<([^>]*)>")


class Listening:
    """The server, from `with` to its end; `heard` has what came."""

    def __init__(self) -> None:
        self.heard: deque[Sent] = deque()
        heard = self.heard

        class Conversation(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self._say(b"220 listening")
                sender = recipient = b""
                while line := self.rfile.readline(4096):
                    verb = line[:4].upper()
                    if verb == b"EHLO":
                        self._say(b"250-listening\r\n250-PIPELINING\r\n250 SIZE 100000000")
                    elif verb == b"MAIL":
                        sender = self._address(line)
                    elif verb == b"RCPT":
                        recipient = self._address(line)
                    elif verb == b"DATA":
                        self._say(b"354 go on")
                        heard.append(Sent(sender.decode(), recipient.decode(), self._content()))
                        self._say(b"250 2.0.0 taken")
                    elif verb == b"QUIT":
                        self._say(b"221 bye")
                        return
                    if verb not in (b"EHLO", b"DATA"):
                        self._say(b"250 2.0.0 OK")

            def _say(self, words: bytes) -> None:
                self.wfile.write(words + b"\r\n")

            def _address(self, line: bytes) -> bytes:
                found = _PATH.search(line)
                return found[1] if found else b""

            def _content(self) -> bytes:
                """The beginning of the mail; it ends with a line that is a dot, which is the last thing on the wire."""
                kept, tail = b"", b"\r\n"
                while not tail.endswith(_END):
                    piece = self.rfile.read1(1 << 20)
                    if not piece:
                        raise ConnectionError("the client left within a mail")
                    kept += piece[: KEPT - len(kept)]
                    tail = (tail + piece[-len(_END) :])[-len(_END) :]
                return kept.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
