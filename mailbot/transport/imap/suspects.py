"""Mails that may break the connection: none of them keeps the others back for long.

In: groups of UIDs whose transfer ended with a lost connection. Out: the order in which mails are asked for. Servers do
this: a damaged mail, of which they notice in the middle of sending it, makes them say BYE (Dovecot does), each time.

| broke the connection | asked for |
|---|---|
| never | first, in full batches |
| once, in some group | after those, in small groups: one of a group is to blame, the others are not |
| more often | last, alone |
| `TRIES` times | not until it has rested for `FIRST_REST` seconds, then once more, alone |
| more often | the same, but each rest is twice as long as the one before, up to `LONGEST_REST` |

The first rest is short because it may have been the line, and the mail is sound.

Never: forgets a mail for good; a clock of its own (the caller passes a monotonic time).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailbot.transport.imap.fetch import chunks

TRIES = 3
SMALL_GROUP = 25
FIRST_REST, LONGEST_REST = 15.0, 3600.0


class Suspects:
    """What is known of one folder's mails, for as long as its UIDs are valid."""

    def __init__(self) -> None:
        self._failures: dict[int, tuple[int, float]] = {}

    def order(self, uids: Sequence[int], now: float) -> Iterator[Sequence[int]]:
        """`uids` in the order and in the groups in which they may be asked for; those that rest are left out."""
        failures = {uid: self._count(uid, now) for uid in uids}
        yield from chunks([uid for uid in uids if failures[uid] == 0])
        yield from chunks([uid for uid in uids if failures[uid] == 1], SMALL_GROUP)
        bad = [uid for uid in uids if 1 < failures[uid] < TRIES]
        yield from chunks(sorted(bad, key=lambda uid: failures[uid]), 1)

    def _count(self, uid: int, now: float) -> int:
        failures, last = self._failures.get(uid, (0, 0.0))
        rest = min(FIRST_REST * 2 ** min(failures - TRIES, 20), LONGEST_REST)
        return TRIES - 1 if failures >= TRIES and now - last > rest else failures

    def blame(self, group: Sequence[int], now: float) -> list[int]:
        """The connection broke with `group`. Those that have used up their tries with this are returned."""
        for uid in group:
            self._failures[uid] = (self._failures.get(uid, (0, 0.0))[0] + 1, now)
        return [uid for uid in group if self._failures[uid][0] == TRIES]

    def clear(self, uids: Sequence[int]) -> None:
        """These came through."""
        for uid in uids:
            self._failures.pop(uid, None)

    def forget(self) -> None:
        """The UIDs mean other mails now."""
        self._failures.clear()
