"""The command `mailbot`, also as `python -m mailbot`."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command line (the process's own by default) and exit with its code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:  # without building the command tree
        from mailbot import __version__

        sys.stdout.write(f"mailbot {__version__}\n")
        sys.exit(0)
    from mailbot.cli.exit_codes import run_to_exit

    _use_utf_8()
    sys.exit(run_to_exit(given))


def _use_utf_8() -> None:
    """Print any character of a mail without an error: UTF-8 to pipes (RFC 8259 §8.1), "?" to terminals without it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")


if __name__ == "__main__":
    main()
