"""A desk with people in the middle of their business, and a stranger who wants in: what the attacks are tried on.

Tickets: 12345 of Acha (Cece in Cc, answered by Sally, waiting), 12346 of Lain (queued), 12347 of the attacker
(answered, so that they hold real tokens of their own), 12348 which was Dini's and is Eni's now (`#pelapor`), 12349 of
Fira (closed). Whatever anybody may not see carries a word that stands nowhere else; `leaks` looks for them, and for
tokens that were signed for somebody else, in all mail that left.
"""

from __future__ import annotations

import atexit
import contextlib
import quopri
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.utils import getaddresses
from functools import lru_cache
from pathlib import Path
from typing import Any

from mailbot.desk.helpdesk import Ingested
from mailbot.mail.reply_token import Purpose, read_tokens
from tests.support.people import (
    ACHA,
    ADDRESS,
    BUDI,
    MONDAY,
    SALLY,
    Sent,
    TryDesk,
)

EVIL = "evil@jahat.example"
CECE, LAIN, DINI, ENI, FIRA = (f"{name}@sekolah.example" for name in ("cece", "lain", "dini", "eni", "fira"))
OURS = "mx.helpdesk.example"
# Who may see which words. Everybody else is an outsider to them.
SECRETS = {
    (ACHA, CECE, SALLY, BUDI): ("rahasia-acha", "jawaban-acha", ACHA, CECE),
    (LAIN, SALLY, BUDI): ("rahasia-lain", LAIN),
    (DINI, SALLY, BUDI): ("rahasia-dini",),
    (ENI, SALLY, BUDI): (ENI,),
    (FIRA, SALLY, BUDI): ("rahasia-fira", FIRA),
    (SALLY, BUDI): (SALLY, BUDI, "catatan-dalam"),
}


@lru_cache
def _business() -> tuple[Path, tuple[Sent, ...]]:
    """The desk as the attacker finds it, and all mail that had left by then."""
    folder = Path(tempfile.mkdtemp(prefix="mailbot-arena-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    desk = TryDesk(folder)
    people = Arena(desk)
    desk.opened(ACHA, "RAHASIA-ACHA tutup BKU", "Isi RAHASIA-ACHA.", cc=CECE, files=[("bukti.jpg", b"RAHASIA-ACHA")])
    desk.opened(LAIN, "RAHASIA-LAIN gaji", "Isi RAHASIA-LAIN.")
    desk.opened(EVIL, "Perkara saya", "Tolong.")
    desk.opened(DINI, "RAHASIA-DINI akun", "Isi RAHASIA-DINI.")
    desk.opened(FIRA, "RAHASIA-FIRA unggah", "Isi RAHASIA-FIRA.")
    desk.reply(people.mail(SALLY, 12345, "notification"), SALLY, "#catatan\nCATATAN-DALAM untuk rekan.")
    desk.reply(people.mail(SALLY, 12345, "notification"), SALLY, "JAWABAN-ACHA: mohon tangkapan layar.")
    desk.reply(people.mail(SALLY, 12347, "notification"), SALLY, "Mohon NPSN.")
    desk.reply(people.mail(SALLY, 12348, "notification"), SALLY, f"#pelapor {ENI}")
    desk.reply(people.mail(SALLY, 12349, "notification"), SALLY, "#selesai\nSudah.")
    desk.close()
    return folder, tuple(desk.sent)


@dataclass
class Arena:
    """The desk under attack, and what the attacker's mail looks like."""

    desk: TryDesk
    said: str = ""
    before: dict[int, dict[str, Any]] = field(default_factory=dict)
    newest: int = 12349
    follows: dict[int, int] = field(default_factory=dict)

    @classmethod
    def opened(cls, folder: Path, **tables: Any) -> Arena:
        """A copy of the desk in the middle of its business, under other settings if need be."""
        business, sent = _business()
        shutil.copytree(business, folder, dirs_exist_ok=True)
        arena = cls(TryDesk(folder, **tables))
        arena.desk.sent = list(sent)
        arena.before = arena.state()
        return arena

    def afresh(self) -> Arena:
        """The same desk, everything as it was before the attack: far quicker than another desk."""
        business, sent = _business()
        with (
            contextlib.closing(sqlite3.connect(business / "mailbot.db")) as pristine,
            contextlib.closing(sqlite3.connect(self.desk.settings.storage.data_dir / "mailbot.db")) as used,
        ):
            pristine.backup(used)
        self.desk.sent = list(sent)
        self.desk.clock.set(MONDAY)
        arena = Arena(self.desk)
        arena.before = arena.state()
        return arena

    def mail(self, person: str, number: int, kind: str = "") -> Sent:
        """The last mail that a person got about a ticket."""
        found = [m for m in self.desk.to(person, kind) if m["X-Mailbot-Ticket"] == str(number)]
        assert found, f"{person} got no {kind} about {number}"
        return found[-1]

    def reply_address(self, person: str, number: int, kind: str = "") -> str:
        """The signed address of that mail."""
        return getaddresses([self.mail(person, number, kind)["Reply-To"]])[0][1]

    def feed(
        self, *fields: str | bytes, body: str = "Isi palsu.", to: str = ADDRESS, subject: str = "Halo"
    ) -> Ingested:
        """A mail of raw header fields, as a forger writes it; To, Subject, Date, Message-ID if they are not given."""
        lines = [field.encode() if isinstance(field, str) else field for field in fields]
        names = {line.partition(b":")[0].lower() for line in lines}
        self.desk._count += 1
        for name, value in (
            ("To", to), ("Subject", subject), ("Date", "Mon, 3 Nov 2025 10:05:00 +0700"),
            ("Message-ID", f"<{self.desk._count}.forged@jahat.example>"),
        ):  # fmt: skip
            if name.lower().encode() not in names:
                lines.append(f"{name}: {value}".encode())
        return self.raw(b"\r\n".join(lines) + b"\r\n\r\n" + body.replace("\n", "\r\n").encode() + b"\r\n")

    def raw(self, raw: bytes) -> Ingested:
        """These bytes arrive; what stands in them the attacker knows already."""
        for said in (raw, quopri.decodestring(raw, header=True)):
            self.said += said.decode("utf-8", "replace").lower()
        return self.desk.feed(raw)

    # What there was and is

    def state(self) -> dict[int, dict[str, Any]]:
        """Everything about the tickets that the attacker found, but when they were looked at."""
        return {number: self.desk.ticket(number) for number in range(12345, 12350)}

    def new_numbers(self) -> list[int]:
        return [number for number in self.desk.numbers() if number > self.newest]

    def forget_new(self) -> None:
        """The tickets that there are now belong to the preparations."""
        self.newest = max(self.desk.numbers())

    def leaks(self, sent: Iterable[Sent]) -> list[str]:
        """Who read what they may not: secrets, or tokens that were signed for somebody else."""
        found = []
        signer = self.desk.desk.helpdesk.profile.signer
        agents = {agent.email: agent.signs_as for agent in self.desk.desk.helpdesk.agents()}
        for mail in sent:
            shown = "\n".join(
                [*(f"{k}: {v}" for k, v in mail.message.items()), mail.text, *map(repr, mail.files.items())]
            )
            low = shown.lower().replace(f"to: {mail.recipient}", "")
            for readers, words in SECRETS.items():
                if mail.recipient not in readers:
                    unsaid = (word for word in words if word not in self.said)
                    found += [f"{mail.recipient} read {word!r} ({mail.kind})" for word in unsaid if word in low]
            for token in read_tokens(shown):
                person = agents.get(mail.recipient, mail.recipient)
                if (
                    str(token) not in self.said
                    and token.purpose is not Purpose.BOUNCE
                    and not signer.belongs_to(token, person)
                ):
                    found.append(f"{mail.recipient} got a token of somebody else ({token})")
        return found
