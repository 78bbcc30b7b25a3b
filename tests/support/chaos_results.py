"""What a test of a crash or a fault saw, for the table of `make chaos`.

In: one call for each fault that was made. Out: a line of JSON at the end of the file that MAILBOT_CHAOS_RESULTS names;
without that variable nothing is written, so that the same tests serve `make test`. Several processes may record at
once: each line is one write to a file opened for appending.

    record("dovecot: restarted", recovered_in=1.8)
    record("killed at random, under load", recovered_in=0.9, doubled=1, note="one mail sent again after its 250")

Lines with the same `fault` become one row of the table: how often, how long it took until all was whole again (median
and longest), what was lost, what was doubled. `tests/crash/table.py` prints it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = "MAILBOT_CHAOS_RESULTS"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One fault, once.

    `fault`: "what: how", the same words for the same fault ("smtp: refused after DATA"). `recovered_in`: seconds from
    the end of the fault (a server is back, the daemon is started again) until the desk had caught up. `lost`: mails,
    tickets or messages that are missing. `doubled`: those that exist twice, and mails that were sent twice. `note`:
    what a reader of the table should know. `allowed`: how many of `doubled` the promises allow (a kill between the
    SMTP server's 250 and the commit).
    """

    fault: str
    recovered_in: float
    lost: int = 0
    doubled: int = 0
    note: str = ""
    allowed: int = 0


def record(
    fault: str, recovered_in: float, lost: int = 0, doubled: int = 0, note: str = "", *, allowed: int = 0
) -> None:
    """Write one outcome down (see `Outcome`); nothing happens outside of `make chaos`."""
    file = os.environ.get(RESULTS)
    if file:
        line = json.dumps(asdict(Outcome(fault, round(recovered_in, 3), lost, doubled, note, allowed))) + "\n"
        with Path(file).open("ab", buffering=0) as out:
            out.write(line.encode())


def is_recording() -> bool:
    """Whether this is a run of `make chaos`: tests may then take their time."""
    return bool(os.environ.get(RESULTS))


def read(file: Path) -> Iterable[Outcome]:
    """All that was recorded, in its order."""
    for line in file.read_text(encoding="utf-8").splitlines():
        yield Outcome(**json.loads(line))
