"""How a command ends: exceptions become one message on stderr and an exit code.

In: the arguments. Out: the exit code. Expected errors (MailbotError) are printed without a traceback; an unexpected one
is a bug, and keeps its traceback. A reader that went away (`mailbot ticket list | head`) is not an error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from mailbot.errors import ConfigError, MailbotError


def run_to_exit(arguments: Sequence[str]) -> int:
    """Run the command line; return its exit code."""
    from mailbot.cli.app import app

    try:
        app(args=list(arguments), prog_name="mailbot")
    except SystemExit as end:
        return _flush(end.code if isinstance(end.code, int) else int(end.code is not None))
    except ConfigError as error:
        _report("mailbot: the configuration can't be used:\n" + "\n".join(f"  {problem}" for problem in error.problems))
        return error.exit_code
    except MailbotError as error:
        _report(f"mailbot: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return 130  # 128 + SIGINT, as shells count
    except BrokenPipeError:
        _discard_stdout()
        return 1
    return _flush(0)


def _report(text: str) -> None:
    sys.stderr.write(text + "\n")


def _flush(code: int) -> int:
    """Flush stdout now, not at the interpreter's end, where a closed pipe can't be caught."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_stdout()
    return code


def _discard_stdout() -> None:
    """Redirect the interpreter's last flush to /dev/null (Python docs, "Note on SIGPIPE")."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
