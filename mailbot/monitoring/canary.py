"""The canary: every now and then a signed mail from the desk to itself, by the real SMTP server and back by IMAP.

In: [canary], the desk's profile, a clock. Out: `CanaryFacts`: how long the last one took, and since when one is missed.
It is known again by its signature (a token of purpose CANARY in X-Mailbot-Canary) before it is stored: it is no ticket,
no mail of the desk, and goes straight to the processed folder. Nobody without the desk's key can make one. Should it
come in by another way, or after a change of keys, it is still marked as ours, hence a LOOP, and answered by nobody.
One that was on its way while the daemon restarted is filed like any other; the new daemon waits for its own.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from mailbot.desk.profile import DeskProfile
from mailbot.mail.compose.composer import Draft, compose, message_id
from mailbot.mail.message import Address, MessageKind
from mailbot.mail.reply_token import Purpose, Token, read_tokens
from mailbot.monitoring.conditions import CanaryFacts
from mailbot.runtime.clock import Clock
from mailbot.transport.smtp.submission import Accepted, Deferred, Rejected

# In these first bytes the header stands, also behind the trace headers of a long way round.
HEADER_WITHIN = 65_536
# One that the server did not take is tried again after so many seconds at the latest.
RETRY_SECONDS = 60.0
MOST_WAITING = 100

_HEADER = re.compile(rb"\nX-Mailbot-Canary:[ \t]*([a-z0-9]{1,60})[ \t]*\r?\n")
_HEADER_END = re.compile(rb"\r?\n\r?\n")


class Submits(Protocol):
    """What hands a mail to the server (smtp.Submission)."""

    def send(self, envelope_from: str, recipient: str, raw: bytes) -> Accepted | Deferred | Rejected:
        """Hand one mail to the server."""

    def close(self) -> None:
        """End the connection."""


def number_of(raw: bytes, profile: DeskProfile) -> int | None:
    """The number of a canary of this desk; None for every other mail."""
    if raw.find(b"\nX-Mailbot-Canary:", 0, HEADER_WITHIN) < 0:
        return None
    end = _HEADER_END.search(raw, 0, HEADER_WITHIN)  # somebody may quote one in a body
    found = _HEADER.search(raw, 0, end.end() if end else HEADER_WITHIN)
    tokens = read_tokens(found[1].decode("ascii")) if found else []
    if not tokens or tokens[0].purpose is not Purpose.CANARY:
        return None
    return tokens[0].number if profile.signer.belongs_to(tokens[0], profile.address) else None


def canary_mail(profile: DeskProfile, address: str, token: Token, unique: str, now: datetime) -> bytes:
    """The mail itself, to one of the desk's addresses. Its words are for the admin who meets one in the folder."""
    words = (
        "mailbot sends this mail to itself, to measure whether mail goes out and comes back ([canary] in its "
        "configuration). Nobody has to do anything."
    )
    return compose(
        Draft(
            kind=MessageKind.NOTICE,
            from_name=profile.name,
            from_email=profile.address,
            to=Address(address, profile.name),
            subject=f"Canary {token.number}",
            text=words,
            html=f"<p>{words}</p>",
            message_id=message_id(f"canary.{unique}", profile.domain),
            date=now.astimezone(profile.zone),
            auto_submitted="auto-generated",
            instance_id=profile.instance_id,
            canary=str(token),
        )
    )


@dataclass(frozen=True, slots=True)
class _Waiting:
    address: str
    number: int
    sent_at: datetime
    mark: float


class Canary:
    """Sends and recognises. `run` belongs to one thread; everything else may be called from any.

    `every` None: none are sent, and those that come are still recognised. `addresses`: where each of the desk's inboxes
    is reached; each gets its own. `comes_here`: does this process read that inbox? Of several workers of a desk only
    the one that does can know that a canary came back, so only that one sends it.
    """

    def __init__(
        self,
        submission: Submits,
        profile: DeskProfile,
        clock: Clock,
        every: timedelta | None,
        addresses: Sequence[str],
        new_id: Callable[[], str],
        *,
        back_at: datetime | None = None,
        seconds: float | None = None,
        comes_here: Callable[[str], bool] = lambda address: True,
    ) -> None:
        self._submission = submission
        self._profile = profile
        self._clock = clock
        self._every = every
        self._addresses = addresses
        self._comes_here = comes_here
        self._new_id = new_id
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._unsent_since: datetime | None = None
        self._reason = ""
        self._last = (back_at, seconds)
        self._back_now = False
        self._newest = 0

    @property
    def last(self) -> tuple[datetime | None, float | None]:
        """When the last one came back, also before a restart, and after how many seconds."""
        return self._last

    def facts(self) -> CanaryFacts | None:
        """For the judgement; None where the canary is off, or another worker's."""
        ours = [address for address in self._addresses if self._comes_here(address)]
        with self._lock:
            self._waiting = [waiting for waiting in self._waiting if waiting.address in ours]
            if self._every is None or not ours:
                return None
            since = [waiting.sent_at for waiting in self._waiting[:1]]
            if self._unsent_since:
                since.append(self._unsent_since)
            back_at, seconds = self._last
            return CanaryFacts(back_at if self._back_now else None, seconds, min(since, default=None), self._reason)

    def recognises(self, raw: bytes) -> bool:
        """Is this mail a canary of ours? Its way round is then measured."""
        number = number_of(raw, self._profile)
        if number is None:
            return False
        with self._lock:
            place = next((at for at, waiting in enumerate(self._waiting) if waiting.number == number), None)
            if place is not None:  # else one of before a restart, or a copy
                back = self._waiting[place]
                self._last = (self._clock.now(), time.monotonic() - back.mark)
                self._back_now = True
                # older ones are lost, or will come: the way is open
                self._waiting = [w for w in self._waiting if w.address != back.address or w.sent_at > back.sent_at]
        return True

    def run(self, stopping: threading.Event) -> None:
        """Send one now and then until told to stop."""
        assert self._every is not None
        pause = self._clock.real_seconds(self._every)
        while not stopping.is_set():
            ours = [address for address in self._addresses if self._comes_here(address)]
            taken = [self.send(address) for address in ours if not stopping.is_set()]
            stopping.wait(pause if taken and all(taken) else min(pause, RETRY_SECONDS))
        self._submission.close()

    def send(self, address: str) -> bool:
        """Send one; False where the server did not take it."""
        now = self._clock.now()
        with self._lock:  # before it is sent: it may be back before the server's answer was read
            number = self._number(now)
            self._waiting.append(_Waiting(address, number, now, time.monotonic()))
            if len(self._waiting) > MOST_WAITING:
                del self._waiting[len(self._addresses)]  # the oldest tell since when
        token = self._profile.signer.sign(Purpose.CANARY, number, self._profile.address)
        raw = canary_mail(self._profile, address, token, self._new_id(), now)
        outcome = self._submission.send(self._profile.address, address, raw)
        with self._lock:
            if isinstance(outcome, Accepted):
                self._unsent_since, self._reason = None, ""
                return True
            self._waiting = [waiting for waiting in self._waiting if waiting.number != number]
            self._unsent_since = self._unsent_since or now
            self._reason = f"{outcome.code} {outcome.text}" if outcome.code else outcome.text
            return False

    def _number(self, now: datetime) -> int:
        """The moment in milliseconds, or the next one that is free."""
        self._newest = max(self._newest + 1, int(now.timestamp() * 1000))
        return self._newest
