"""Between understanding a mail and acting on it: which of its files go no further.

In: a mail as it was understood, its raw bytes. Out: the same mail without the files that are refused, which it names
instead (`Arrived.held`); with `Arrived.infected` where the virus scanner found something. Runs outside of every
transaction, since a scanner may take its time.

The scanner gets the mail whole, as it came: it takes mail apart itself, and knows forms that mailbot doesn't. Mail
without files is not scanned: its words reach people as plain text only.
Never: writes, moves or deletes anything; the raw mail keeps what is held here.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import datetime
from typing import Literal, Protocol

from mailbot.desk.context import IncomingMail
from mailbot.mail.attachments.policy import (
    Refusals,
    WithheldFile,
    remove_files,
    screen,
)
from mailbot.mail.message import Attachment, InboundMessage
from mailbot.runtime.clock import Clock
from mailbot.runtime.logs import Outage
from mailbot.runtime.status import ConnectionStatus
from mailbot.transport.clamd import (
    Infected,
    Unscanned,
    Verdict,
)
from mailbot.vocabulary.refused_files import INFECTED, UNSCANNED

log = logging.getLogger(__name__)

# What the scanner is asked about where no mail asks it: nothing.
SAMPLE = b"mailbot asks whether you scan\r\n"


class Scanner(Protocol):
    """What looks for viruses (mailbot.transport.clamd.Clamd)."""

    address: str

    def scan(self, content: bytes) -> Verdict:
        """The verdict on these bytes."""

    def version(self) -> str | Unscanned:
        """What it says of itself."""


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
    def trouble(self) -> str:
        """What is wrong with the virus scanner now; "" where it works, or none is asked for."""
        since = self._outage.since
        return (
            f"clamd does not answer since {since:%Y-%m-%d %H:%M} UTC: files are {_FATES[self._down]}" if since else ""
        )

    @property
    def line(self) -> ConnectionStatus | None:
        """How the scanner fares, for the watch; None where none is asked for."""
        if self._scanner is None:
            return None
        with self._lock:
            return ConnectionStatus(self._worked_at, failing_since=self._outage.since, reason=self._reason)

    def ask(self) -> None:
        """Have the scanner look at a few bytes: else a desk without files would not hear that it is gone."""
        if self._scanner is not None:
            self._asked(SAMPLE)

    def screen(self, mail: IncomingMail, raw: bytes) -> IncomingMail:
        """The mail as it may be acted on."""
        message, held = screen(mail.message, self._refusals)
        if self._scanner is None or mail.partial or not (mail.message.attachments or mail.message.nested):
            return replace(mail, message=message, held=held) if held else mail
        verdict = self._asked(raw)
        if isinstance(verdict, Infected):
            signature = verdict.signature
            if not mail.released:
                return replace(mail, message=message, held=held, infected=signature)
            # An admin wants its words; its files stay where they are.
            return _without_files(mail, message, held, INFECTED, signature)
        if isinstance(verdict, Unscanned) and self._down == "hold":
            return _without_files(mail, message, held, UNSCANNED, "")
        return replace(mail, message=message, held=held) if held else mail

    def screen_again(self, mail: IncomingMail, explanation: dict[str, object]) -> IncomingMail:
        """A mail that was held and is taken up now, inside a transaction: without asking the scanner a second time."""
        message, held = screen(mail.message, self._refusals)
        if explanation.get(UNSCANNED):
            return _without_files(mail, message, held, UNSCANNED, "")
        return replace(mail, message=message, held=held) if held else mail

    def _asked(self, raw: bytes) -> Verdict:
        assert self._scanner is not None
        verdict = self._scanner.scan(raw)
        with self._lock:
            if isinstance(verdict, Unscanned) and verdict.down:
                self._reason = (
                    f"clamd at {self._scanner.address}: {verdict.why}; files are {_FATES[self._down]} meanwhile"
                )
                self._outage.failed(f"{verdict.why}; files are {_FATES[self._down]} meanwhile")
            else:
                self._worked_at = self._clock.now()
                self._outage.recovered()
        return verdict


def explained(held: tuple[WithheldFile, ...]) -> dict[str, object]:
    """What `mailbot explain` shows of them, and what a mail that is taken up later has to know."""
    if not held:
        return {}
    found: dict[str, object] = {"held_files": [f"{each.kind}: {each.to_blame}"[:300] for each in held[:20]]}
    return found | ({UNSCANNED: True} if any(each.kind == UNSCANNED for each in held) else {})


_FATES = {"hold": "held back", "pass": "passed on unscanned"}


def _without_files(
    mail: IncomingMail, message: InboundMessage, held: tuple[WithheldFile, ...], kind: str, signature: str
) -> IncomingMail:
    """Nothing of the mail's files goes on, neither in it nor in mails that are attached to it."""
    files = [each for each in _all_files(message) if not each.signature]
    more = tuple(WithheldFile(f.name, f.content_type, f.size, f.sha256, kind, "", signature) for f in files)
    return replace(mail, message=remove_files(message, {f.sha256 for f in files}), held=(*held, *dict.fromkeys(more)))


def _all_files(message: InboundMessage) -> list[Attachment]:
    """The files of the mail itself; those of mails in it only where their mail is no file of its own."""
    files = list(message.attachments)
    for nested in message.nested:
        files += [each for each in _all_files(nested) if not files]
    return files
