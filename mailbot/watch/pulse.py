"""How one connection fares: noted by the thread that uses it, read by the watch. One frozen value, replaced whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mailbot.clock import Clock
from mailbot.health import Line


class Pulse:
    """One direction. One thread notes, any may read `line`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.line = Line()

    def works(self, certificate_ends: datetime | None = None) -> None:
        """It worked just now. `certificate_ends`: of the server's certificate, where TLS told it."""
        self.line = Line(self._clock.now(), certificate_ends=certificate_ends or self.line.certificate_ends)

    def fails(self, reason: str, *, credentials: bool = False) -> None:
        """It failed just now. The outage began with the first failure after the last success."""
        since = self.line.failing_since or self._clock.now()
        self.line = replace(self.line, failing_since=since, reason=reason, credentials=credentials)
