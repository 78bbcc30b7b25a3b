"""Mails that may break the connection, ordered so that none of them blocks the others for long.

In: groups of UIDs whose transfer ended with a lost connection. Out: the order in which mails are fetched. A damaged
mail, which the server detects in the middle of sending it, makes it send BYE, each time (Dovecot does).

| broke the connection | fetched |
|---|---|
| never | first, in full batches |
| once, in some group | after those, in small groups: one of the group is the cause, the others are not |
| more often | last, alone |
| `TRIES` times | not for `FIRST_PAUSE` seconds, then once more, alone |
| more often | the same, but each pause is twice as long as the one before, up to `LONGEST_PAUSE` |

The first pause is short because the network may have been the cause, and the mail be intact.

Never: drops a mail for good; a clock of its own (the caller passes a monotonic time).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailbot.transport.imap.fetch import chunks

TRIES = 3
SMALL_GROUP = 25
FIRST_PAUSE, LONGEST_PAUSE = 15.0, 3600.0


class Suspects:
    """The failures of one folder's mails, as long as its UIDs are valid."""

    def __init__(self) -> None:
        self._failures: dict[int, tuple[int, float]] = {}

    def order(self, uids: Sequence[int], now: float) -> Iterator[Sequence[int]]:
        """Yield `uids` in the groups and the order in which to fetch them, without those that are paused."""
        failures = {uid: self._count(uid, now) for uid in uids}
        yield from chunks([uid for uid in uids if failures[uid] == 0])
        yield from chunks([uid for uid in uids if failures[uid] == 1], SMALL_GROUP)
        bad = [uid for uid in uids if 1 < failures[uid] < TRIES]
        yield from chunks(sorted(bad, key=lambda uid: failures[uid]), 1)

    def _count(self, uid: int, now: float) -> int:
        failures, last = self._failures.get(uid, (0, 0.0))
        pause = min(FIRST_PAUSE * 2 ** min(failures - TRIES, 20), LONGEST_PAUSE)
        return TRIES - 1 if failures >= TRIES and now - last > pause else failures

    def blame(self, group: Sequence[int], now: float) -> list[int]:
        """Count a failure for each of `group`; return those that have reached `TRIES` with it."""
        for uid in group:
            self._failures[uid] = (self._failures.get(uid, (0, 0.0))[0] + 1, now)
        return [uid for uid in group if self._failures[uid][0] == TRIES]

    def clear(self, uids: Sequence[int]) -> None:
        """Clear mails that were fetched."""
        for uid in uids:
            self._failures.pop(uid, None)

    def forget(self) -> None:
        """Clear all: the UIDs mean other mails now."""
        self._failures.clear()
