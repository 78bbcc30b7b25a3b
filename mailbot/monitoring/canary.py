"""The canary: at intervals a signed mail from the desk to itself, through the real SMTP server and back by IMAP.

In: [canary], the desk's profile, a clock. Out: `CanaryFacts`: the last round-trip time, and since when one is missing.
It is recognised before it is stored, by its signature (a token of purpose CANARY in X-Mailbot-Canary): it opens no
ticket and goes straight to the processed folder. Nobody can forge one without the desk's key. If it arrives by another
path, or after a change of keys, it still carries the desk's mark, hence it is classified as LOOP and not answered.
One that was in transit while the daemon restarted is filed like any other; the new daemon waits for its own.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from mailbot.desk.profile import DeskProfile
from mailbot.mail.compose.composer import Draft, compose, message_id
from mailbot.mail.message import Address, MessageKind
from mailbot.mail.reply_token import Purpose, Token, read_tokens
from mailbot.monitoring.conditions import CanaryFacts
from mailbot.runtime.clock import Clock
from mailbot.transport.smtp.pool import Submitter
from mailbot.transport.smtp.submission import Accepted

# The header is within the first bytes, even after the trace headers of a long route.
HEADER_WITHIN = 65_536
# One that the server did not accept is retried after at most this many seconds.
RETRY_SECONDS = 60.0
MOST_WAITING = 100

_HEADER = re.compile(rb"\nX-Mailbot-Canary:[ \t]*([a-z0-9]{1,60})[ \t]*\r?\n")
_HEADER_END = re.compile(rb"\r?\n\r?\n")


def number_of(raw: bytes, profile: DeskProfile) -> int | None:
    """Return the number of a canary of this desk; None for every other mail."""
    if raw.find(b"\nX-Mailbot-Canary:", 0, HEADER_WITHIN) < 0:
        return None
    end = _HEADER_END.search(raw, 0, HEADER_WITHIN)  # a body may quote one
    found = _HEADER.search(raw, 0, end.end() if end else HEADER_WITHIN)
    tokens = read_tokens(found[1].decode("ascii")) if found else []
    if not tokens or tokens[0].purpose is not Purpose.CANARY:
        return None
    return tokens[0].number if profile.signer.belongs_to(tokens[0], profile.address) else None


def canary_mail(profile: DeskProfile, address: str, token: Token, unique: str, now: datetime) -> bytes:
    """Compose a canary to one of the desk's addresses. Its text is for an admin who finds one in the folder."""
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


class RoundTrip(NamedTuple):
    """The last canary that came back, also before a restart; None, None if there was none."""

    back_at: datetime | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class CanaryPlan:
    """Which canaries are sent, and how often."""

    every: timedelta | None  #: None: none are sent, but those that arrive are still recognised.
    addresses: Sequence[str]  #: The addresses of the desk's inboxes; each gets its own canary.
    #: Whether this process reads the inbox of an address. Of several workers only its reader can know that a canary
    #: came back, so only that one sends it.
    is_read_here: Callable[[str], bool] = lambda address: True


@dataclass(frozen=True, slots=True)
class _Waiting:
    address: str
    number: int
    sent_at: datetime
    started: float  #: time.monotonic at `sent_at`.


class Canary:
    """Sends canaries and recognises them. `run` belongs to one thread; the other methods may be called from any."""

    def __init__(
        self, submission: Submitter, profile: DeskProfile, clock: Clock, plan: CanaryPlan, new_id: Callable[[], str]
    ) -> None:
        self._submission = submission
        self._profile = profile
        self._clock = clock
        self._plan = plan
        self._new_id = new_id
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._unsent_since: datetime | None = None
        self._reason = ""
        self.last = RoundTrip()
        self._back_since_start = False
        self._newest = 0

    def _addresses_read_here(self) -> list[str]:
        return [address for address in self._plan.addresses if self._plan.is_read_here(address)]

    def facts(self) -> CanaryFacts | None:
        """Return the facts for the judgement; None if the canary is disabled, or another worker's."""
        ours = self._addresses_read_here()
        with self._lock:
            self._waiting = [waiting for waiting in self._waiting if waiting.address in ours]
            if self._plan.every is None or not ours:
                return None
            since = [waiting.sent_at for waiting in self._waiting[:1]]
            if self._unsent_since:
                since.append(self._unsent_since)
            back_at = self.last.back_at if self._back_since_start else None
            return CanaryFacts(back_at, self.last.seconds, min(since, default=None), self._reason)

    def recognises(self, raw: bytes) -> bool:
        """Return whether this mail is a canary of this desk; if so, record its round trip."""
        number = number_of(raw, self._profile)
        if number is None:
            return False
        with self._lock:
            back = next((waiting for waiting in self._waiting if waiting.number == number), None)
            if back is not None:  # else it was sent before a restart, or is a copy
                self.last = RoundTrip(self._clock.now(), time.monotonic() - back.started)
                self._back_since_start = True
                # Older ones are lost, or still to come: the path works.
                self._waiting = [w for w in self._waiting if w.address != back.address or w.sent_at > back.sent_at]
        return True

    def run(self, stopping: threading.Event) -> None:
        """Send one to each address at every interval, until `stopping` is set."""
        assert self._plan.every is not None
        pause = self._clock.real_seconds(self._plan.every)
        while not stopping.is_set():
            accepted = [self.send(address) for address in self._addresses_read_here() if not stopping.is_set()]
            stopping.wait(pause if accepted and all(accepted) else min(pause, RETRY_SECONDS))

    def send(self, address: str) -> bool:
        """Send one; return whether the server accepted it."""
        now = self._clock.now()
        with self._lock:  # before it is sent: it may be back before the server's reply is read
            number = self._number(now)
            self._waiting.append(_Waiting(address, number, now, time.monotonic()))
            if len(self._waiting) > MOST_WAITING:
                del self._waiting[len(self._plan.addresses)]  # the oldest ones show since when
        token = self._profile.signer.sign(Purpose.CANARY, number, self._profile.address)
        raw = canary_mail(self._profile, address, token, self._new_id(), now)
        result = self._submission.send(self._profile.address, address, raw)
        with self._lock:
            if isinstance(result, Accepted):
                self._unsent_since, self._reason = None, ""
                return True
            self._waiting = [waiting for waiting in self._waiting if waiting.number != number]
            self._unsent_since = self._unsent_since or now
            self._reason = f"{result.code} {result.text}" if result.code else result.text
            return False

    def _number(self, now: datetime) -> int:
        """Return the time in milliseconds, or the next free number."""
        self._newest = max(self._newest + 1, int(now.timestamp() * 1000))
        return self._newest
