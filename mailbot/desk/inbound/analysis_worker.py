"""A worker of `understanding`: reads mails from its standard input, writes what they say to its standard output.

It ends when its input closes. Nothing else comes in or goes out: no database, no network, no configuration.
"""

from __future__ import annotations

import signal
import sys

from mailbot.desk.inbound.analysis_pool import (
    PreparedMail,
    hear,
    say,
)
from mailbot.mail.analysis import analyse_fully
from mailbot.mail.classify.facts import OwnIdentity
from mailbot.mail.duplicates import identity
from mailbot.runtime.memory import tune_memory
from mailbot.runtime.watchdog import no_longer_than
from mailbot.store.compression import pack

LONGEST_SECONDS = 60.0


def main() -> None:
    """Serve until the other side is gone."""
    tune_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which closes our input
    back, sys.stdout = sys.stdout.buffer, sys.stderr  # nothing that prints may disturb the answers
    try:
        own = hear(sys.stdin.buffer)
        say(back, "ready")
        while True:
            raws = hear(sys.stdin.buffer)
            with no_longer_than(LONGEST_SECONDS):
                say(back, [_prepared(raw, own) for raw in raws])
    except (EOFError, BrokenPipeError):
        return


def _prepared(raw: bytes, own: OwnIdentity) -> PreparedMail | None:
    try:
        understood = analyse_fully(raw, own)
    except Exception:  # noqa: BLE001 - the parent meets the same fault, and sets the mail aside with its traceback
        return None
    sha256, packed = pack(raw)
    return PreparedMail(understood, identity(raw), sha256, packed)


if __name__ == "__main__":
    main()
