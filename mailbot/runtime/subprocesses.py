"""Programs that mailbot starts end with it, however it ends: also by SIGKILL, which leaves no time to tidy up.

In: the command of an admin, as words. Out: the words to start instead: a few lines of Python that ask the kernel to
kill them with their parent (prctl(2), PR_SET_PDEATHSIG, which outlasts execve), and then turn into the command. A
launcher rather than `preexec_fn`, which may deadlock in a process that has threads (subprocess, "Warning").

Only Linux knows this; elsewhere the command is started as it is. What the command itself starts is its own affair:
where systemd runs mailbot, its control group takes those along.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sys
from collections.abc import Sequence

# The parent may have died before the request was made: then nobody would ever send the signal.
_LAUNCHER = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, {signal}, 0, 0, 0); "
    "os.getppid() == {parent} or os._exit(1); os.execv(sys.argv[1], sys.argv[2:])"
)


def bound_to_parent(command: Sequence[str]) -> list[str]:
    """The command, tied to the life of this process. Raises FileNotFoundError where there is no such program."""
    program = shutil.which(command[0]) if command else None
    if program is None:
        named = command[0] if command else "nothing"
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), named)
    if sys.platform != "linux":
        return [program, *command[1:]]
    launcher = _LAUNCHER.format(signal=int(signal.SIGKILL), parent=os.getpid())
    return [sys.executable, "-I", "-S", "-c", launcher, program, *command]
