"""A small SMTP server that behaves, until the test says otherwise: `ScriptedSmtp(RCPT=reply(550, "no"), DOT=hangs_up)`.

An override is called as `answer(peer, line)` in place of the normal reply to that command; DOT is the reply to the end
of the content, GREETING the first words. `contents` holds the mails that came, `lines` every command, by connection.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.support.scripted import Peer, Scripted

Answer = Callable[[Peer, bytes], None]


def reply(code: int, words: str) -> Answer:
    """This reply, on one line."""
    return lambda peer, _line: peer.say(f"{code} {words}".encode())


def hangs_up(peer: Peer, _line: bytes) -> None:
    """No reply but the end."""
    peer.close()


def is_silent(peer: Peer, _line: bytes) -> None:
    """No reply at all."""
    peer.wait_for_end()


class ScriptedSmtp(Scripted):
    """Takes everything. `extensions`: what its answer to EHLO names."""

    def __init__(
        self, extensions: tuple[bytes, ...] = (b"PIPELINING", b"8BITMIME", b"SMTPUTF8"), **overrides: Answer
    ) -> None:
        self.extensions = extensions
        self.overrides = overrides
        self.lines: list[list[bytes]] = []
        self.contents: list[bytes] = []
        super().__init__(self._session)

    def _session(self, peer: Peer) -> None:
        seen: list[bytes] = []
        self.lines.append(seen)
        self._answer(peer, "GREETING", b"", b"220 ready")
        while line := peer.line():
            seen.append(line)
            name = line[:4].decode("ascii").upper()
            if name == "EHLO":
                words = [b"localhost", *self.extensions]
                self._answer(
                    peer, name, line, b"\r\n".join(b"250-" + word for word in words[:-1]) + b"\r\n250 " + words[-1]
                )
            elif name == "DATA":
                self._answer(peer, name, line, b"354 go on")
                if "DATA" not in self.overrides:
                    self._content(peer)
            else:
                self._answer(peer, name, line, b"221 bye" if name == "QUIT" else b"250 ok")

    def _content(self, peer: Peer) -> None:
        content = b""
        while (line := peer.whole_line()) != b".\r\n":
            if not line:
                return  # without its dot it is no mail
            content += line
        self.contents.append(content)
        self._answer(peer, "DOT", b"", b"250 queued")

    def _answer(self, peer: Peer, name: str, line: bytes, normal: bytes) -> None:
        override = self.overrides.get(name)
        if override is not None:
            override(peer, line)
        else:
            peer.say(normal)
