"""A small IMAP server that behaves, until the test says otherwise: `ScriptedImap(FETCH=…, capability=…)`.

An override is called as `answer(peer, tag, arguments)` in place of the normal answer to that command ("UID FETCH" is
named FETCH); `calls` counts the commands over all connections.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from tests.support.scripted import Peer, Scripted

Answer = Callable[[Peer, bytes, bytes], None]


class ScriptedImap(Scripted):
    """INBOX holds three mails, UIDs 1 to 3, of which `mail(uid)` gives the bytes."""

    def __init__(
        self, *, capability: bytes = b"IMAP4rev1 IDLE MOVE UIDPLUS ESEARCH", greeting: bytes = b"", **overrides: Answer
    ) -> None:
        self.capability = capability
        self.greeting = greeting or b"* OK [CAPABILITY " + capability + b"] ready"
        self.overrides = overrides
        self.calls: Counter[str] = Counter()
        self.seen: list[bytes] = []
        super().__init__(self._session)

    @staticmethod
    def mail(uid: int) -> bytes:
        """The mail with this UID."""
        return b"Subject: %d\r\n\r\nisi\r\n" % uid

    def _session(self, peer: Peer) -> None:
        peer.say(self.greeting)
        while line := peer.line():
            self.seen.append(line)
            tag, _, rest = line.partition(b" ")
            command, _, arguments = rest.removeprefix(b"UID ").partition(b" ")
            name = command.decode("ascii").upper()
            self.calls[name] += 1
            override = self.overrides.get(name)
            if override is not None:
                override(peer, tag, arguments)
            else:
                self.normal(peer, tag, name, arguments)
            if name == "LOGOUT":
                return

    def normal(self, peer: Peer, tag: bytes, name: str, arguments: bytes) -> None:
        """The answer that a test did not change."""
        match name:
            case "CAPABILITY":
                peer.say(b"* CAPABILITY " + self.capability)
            case "LIST":
                pattern = arguments.split(b" ")[-1].strip(b'"')
                peer.say(b'* LIST (\\HasNoChildren) "/" "' + pattern + b'"')
            case "SELECT":
                peer.say(b"* FLAGS (\\Deleted)", b"* OK [PERMANENTFLAGS (\\Deleted \\*)] ok", b"* 3 EXISTS")
                peer.say(b"* OK [UIDVALIDITY 7] ok", b"* OK [UIDNEXT 4] ok")
            case "SEARCH":
                peer.say(b'* ESEARCH (TAG "' + tag + b'") UID ALL 1:3')
            case "FETCH":
                self.fetch(peer, arguments)
            case "IDLE":
                peer.say(b"+ idling")
                assert peer.line() in {b"DONE", b""}
            case "LOGOUT":
                peer.say(b"* BYE bye")
        peer.say(tag + b" OK done")

    def fetch(self, peer: Peer, arguments: bytes) -> None:
        """FETCH of sizes or of bodies, as Dovecot would say it."""
        uids = [uid for part in arguments.split(b" ")[0].split(b",") for uid in _range(part)]
        for uid in uids:
            raw = self.mail(uid)
            items = b"UID %d" % uid
            if b"RFC822.SIZE" in arguments:
                items += b" RFC822.SIZE %d" % len(raw)
            if b"BODY" in arguments:
                partial = re.search(rb"\[\]<0\.(\d+)>", arguments)
                part, where = (raw[: int(partial[1])], b"<0>") if partial else (raw, b"")
                items += b' INTERNALDATE "17-Jul-2026 02:44:25 +0700"'
                items += b" BODY[]%s {%d}\r\n%s" % (where, len(part), part)
            peer.say(b"* %d FETCH (%s)" % (uid, items))


def _range(part: bytes) -> range:
    low, _, high = part.partition(b":")
    return range(int(low), int(high or low) + 1)
