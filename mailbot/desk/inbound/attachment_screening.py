"""Between analysing a mail and acting on it: which of its files are withheld.

In: an analysed mail, its raw bytes. Out: the same mail without the files that are refused, which it names instead
(`IncomingMail.withheld`); with `IncomingMail.infected` where the virus scanner found something. Runs outside of every
transaction, since a scanner may take its time.

The scanner gets the raw mail: it takes mail apart itself, and knows formats that mailbot doesn't. Mail without files is
not scanned: its words reach people as plain text only.
Never: writes, moves or deletes anything; the raw mail keeps what is withheld here.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import datetime
from typing import Literal, Protocol

from mailbot.desk.context import IncomingMail
from mailbot.mail.attachments.policy import Refusals, WithheldFile, remove_files, screen
from mailbot.mail.message import Attachment, InboundMessage
from mailbot.runtime.clock import Clock
from mailbot.runtime.logs import Outage
from mailbot.runtime.status import ConnectionStatus
from mailbot.transport.clamd import Infected, Unscanned, Verdict
from mailbot.vocabulary.refused_files import INFECTED, UNSCANNED

log = logging.getLogger(__name__)

# What the scanner is probed with while there is no mail to scan.
SAMPLE = b"mailbot asks whether you scan\r\n"


class Scanner(Protocol):
    """A virus scanner (`transport.clamd.Clamd`)."""

    address: str

    def scan(self, content: bytes) -> Verdict:
        """Return the verdict on these bytes."""

    def version(self) -> str | Unscanned:
        """Return the scanner's version."""


class AttachmentScreening:
    """Screens one desk's mail. Usable from several threads; `down` is [attachments] clamd_down."""

    def __init__(
        self,
        refusals: Refusals,
        clock: Clock,
        scanner: Scanner | None = None,
        down: Literal["hold", "pass"] = "hold",
    ) -> None:
        self._refusals = refusals
        self._scanner = scanner
        self._down = down
        self._clock = clock
        self._lock = threading.Lock()
        self._worked_at: datetime | None = None
        self._reason = ""
        self._outage = Outage(log, f"clamd at {scanner.address}" if scanner else "clamd", clock)

    @property
    def failure(self) -> str:
        """What is wrong with the virus scanner now; "" where it works, or none is configured."""
        since = self._outage.since
        return (
            f"clamd does not answer since {since:%Y-%m-%d %H:%M} UTC: files are {_FILES[self._down]}" if since else ""
        )

    @property
    def status(self) -> ConnectionStatus | None:
        """The scanner's status, for monitoring; None where none is configured."""
        if self._scanner is None:
            return None
        with self._lock:
            return ConnectionStatus(self._worked_at, failing_since=self._outage.since, reason=self._reason)

    def probe(self) -> None:
        """Have the scanner scan a few bytes: without files, nothing else would notice that it is gone."""
        if self._scanner is not None:
            self._scan(SAMPLE)

    def screen(self, mail: IncomingMail, raw: bytes) -> IncomingMail:
        """Return the mail as it may be acted on."""
        message, withheld = screen(mail.message, self._refusals)
        if self._scanner is None or mail.partial or not (mail.message.attachments or mail.message.nested):
            return replace(mail, message=message, withheld=withheld) if withheld else mail
        verdict = self._scan(raw)
        if isinstance(verdict, Infected):
            signature = verdict.signature
            if not mail.released:
                return replace(mail, message=message, withheld=withheld, infected=signature)
            # An admin released it for its words; its files stay withheld.
            return _without_files(mail, message, withheld, INFECTED, signature)
        if isinstance(verdict, Unscanned) and self._down == "hold":
            return _without_files(mail, message, withheld, UNSCANNED, "")
        return replace(mail, message=message, withheld=withheld) if withheld else mail

    def screen_again(self, mail: IncomingMail, explanation: dict[str, object]) -> IncomingMail:
        """Screen a mail that was held, inside a transaction: without asking the scanner a second time."""
        message, withheld = screen(mail.message, self._refusals)
        if explanation.get(UNSCANNED):
            return _without_files(mail, message, withheld, UNSCANNED, "")
        return replace(mail, message=message, withheld=withheld) if withheld else mail

    def _scan(self, raw: bytes) -> Verdict:
        assert self._scanner is not None
        verdict = self._scanner.scan(raw)
        with self._lock:
            if isinstance(verdict, Unscanned) and verdict.down:
                self._reason = (
                    f"clamd at {self._scanner.address}: {verdict.why}; files are {_FILES[self._down]} meanwhile"
                )
                self._outage.failed(f"{verdict.why}; files are {_FILES[self._down]} meanwhile")
            else:
                self._worked_at = self._clock.now()
                self._outage.recovered()
        return verdict


def explained(withheld: tuple[WithheldFile, ...]) -> dict[str, object]:
    """Return what `mailbot explain` shows of withheld files, and what `screen_again` has to know."""
    if not withheld:
        return {}
    found: dict[str, object] = {"held_files": [f"{each.kind}: {each.to_blame}"[:300] for each in withheld[:20]]}
    return found | ({UNSCANNED: True} if any(each.kind == UNSCANNED for each in withheld) else {})


_FILES = {"hold": "held back", "pass": "passed on unscanned"}


def _without_files(
    mail: IncomingMail, message: InboundMessage, withheld: tuple[WithheldFile, ...], kind: str, signature: str
) -> IncomingMail:
    """Return the mail without any of its files, also without those in mails that are attached to it."""
    files = [each for each in _all_files(message) if not each.signature]
    more = tuple(WithheldFile(f.name, f.content_type, f.size, f.sha256, kind, "", signature) for f in files)
    kept = remove_files(message, {f.sha256 for f in files})
    return replace(mail, message=kept, withheld=(*withheld, *dict.fromkeys(more)))


def _all_files(message: InboundMessage) -> list[Attachment]:
    """Return the files of the mail; those of nested mails only where their mail is no file of its own."""
    files = list(message.attachments)
    for nested in message.nested:
        files += [each for each in _all_files(nested) if not files]
    return files
