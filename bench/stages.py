"""Where the time of taking in a mail goes, in one process: the share of each part in what the interpreter did.

    python -m bench.stages [--mails 300] [--write]

The mix of bench/corpus.py is stored and handled in batches of 50 (fetching, sending and recording what was sent are not
in it) under cProfile, which makes calls dearer than they are: the shares are good for comparing, not for adding up to
the time of a run without it. What a C function took belongs to the module that called it.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from bench import corpus, history, report
from bench.products import MailbotDesk, Servers
from mailbot.bootstrap import open_desk
from mailbot.config import load_settings
from mailbot.core.arrival import Arrival
from tests.contract.dovecot import Dovecot

# The first that a file's path holds; the rest of mailbot is "decide".
STAGES = (
    ("/mailbot/store/", "store"),
    ("/sqlalchemy/", "store"),
    ("/sqlite3/", "store"),
    ("/mailbot/correspondence", "write letters"),
    ("/mailbot/posting", "write letters"),
    ("/mailbot/shown", "write letters"),
    ("/mailbot/render", "render"),
    ("/jinja2/", "render"),
    ("<template>", "render"),
    ("/markupsafe/", "render"),
    ("/mailbot/core/compose", "compose"),
    ("/mailbot/core/token", "compose"),
    ("/mailbot/core/restraint", "decide"),
    ("/mailbot/core/lifecycle", "decide"),
    ("/mailbot/core/route", "decide"),
    ("/mailbot/core/", "understand"),
    ("/email/", "understand"),
    ("/mailbot/", "decide"),
)


def measure(mails: int) -> Counter[str]:
    """Seconds for each stage."""
    with tempfile.TemporaryDirectory() as folder:
        nowhere = Servers(Dovecot(Path(folder) / "dovecot"), 1)
        MailbotDesk("", "all").command(Path(folder) / "desk", nowhere, "bench")
        with open_desk(load_settings(Path(folder) / "desk" / "mailbot.toml")) as desk:
            arrivals = [
                Arrival(1, uid, mail.raw, len(mail.raw), None, False)
                for uid, mail in enumerate(corpus.mails(mails + 50), 1)
            ]

            def take_in(some: list[Arrival]) -> None:
                ids = desk.helpdesk.receive(history.MAILBOX, some)
                desk.helpdesk.process(ids, {one: arrival.raw for one, arrival in zip(ids, some, strict=True)})

            take_in(arrivals[:50])  # compiles templates and statements
            profile = cProfile.Profile()
            profile.enable()
            for start in range(50, len(arrivals), 50):
                take_in(arrivals[start : start + 50])
            profile.disable()
    return _by_stage(pstats.Stats(profile))


def _by_stage(stats: Any) -> Counter[str]:
    found: Counter[str] = Counter()
    for (path, _, _), (_, _, own, _, callers) in stats.stats.items():
        if path == "~":  # a C function: its time is shared among its callers
            for (caller, _, _), (_, _, part, _) in callers.items():
                found[_stage(caller)] += part
        else:
            found[_stage(path)] += own
    return found


def _stage(path: str) -> str:
    return next((stage for part, stage in STAGES if part in path), "other")


def section(found: Counter[str], mails: int, command: str) -> str:
    """The table."""
    whole = found.total()
    rows = [(stage, f"{100 * took / whole:.0f} %", f"{1000 * took / mails:.2f}") for stage, took in found.most_common()]
    head = ("stage", "share", "ms a mail under the profiler")
    return f"{report.table(head, rows)}\n\n{mails} mails. {report.measured_by(command)}"


def main() -> None:
    """Measure, and print or write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mails", type=int, default=300)
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    given = parser.parse_args()
    text = section(measure(given.mails), given.mails, f"python -m bench.stages --mails {given.mails}")
    print(text)
    if given.write:
        report.put("stages", text)


if __name__ == "__main__":
    main()
