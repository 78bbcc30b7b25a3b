"""A worker of `analysis_pool`: reads mails from its standard input, writes their analysis to its standard output.

It ends when its input closes. Nothing else comes in or goes out: no database, no network, no configuration.
"""

from __future__ import annotations

import signal
import sys

from mailbot.desk.inbound.analysis_pool import PreparedMail, receive, send
from mailbot.mail.analysis import analyse_fully
from mailbot.mail.classify.facts import OwnIdentity
from mailbot.mail.duplicates import identity
from mailbot.runtime.memory import tune_memory
from mailbot.runtime.watchdog import no_longer_than
from mailbot.store.compression import pack

LONGEST_SECONDS = 60.0


def main() -> None:
    """Serve until the parent is gone."""
    tune_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes our input
    back, sys.stdout = sys.stdout.buffer, sys.stderr  # output of other code must not get into the results
    try:
        own = receive(sys.stdin.buffer)
        send(back, "ready")
        while True:
            raws = receive(sys.stdin.buffer)
            with no_longer_than(LONGEST_SECONDS):
                send(back, [_prepared(raw, own) for raw in raws])
    except (EOFError, BrokenPipeError):
        return


def _prepared(raw: bytes, own: OwnIdentity) -> PreparedMail | None:
    try:
        analysis = analyse_fully(raw, own)
    except Exception:  # noqa: BLE001 - the parent meets the same fault, and quarantines the mail with its traceback
        return None
    sha256, packed = pack(raw)
    return PreparedMail(analysis, identity(raw), sha256, packed)


if __name__ == "__main__":
    main()
