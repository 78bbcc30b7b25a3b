"""Programs that mailbot starts end with it, however it ends: also by SIGKILL, which leaves no time to clean up.

In: the command of an admin, as words. Out: the words to start instead: a few lines of Python that ask the kernel to
kill the program with its parent (prctl(2), PR_SET_PDEATHSIG, which survives execve), and then become the command. A
launcher rather than `preexec_fn`, which may deadlock in a process that has threads (subprocess, "Warning").

Only Linux has this; elsewhere the command is started as it is. It does not cover what the command itself starts: under
systemd, the control group does.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sys
from collections.abc import Sequence

# The parent may have died before prctl: then the signal would never be sent.
_LAUNCHER = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, {signal}, 0, 0, 0); "
    "os.getppid() == {parent} or os._exit(1); os.execv(sys.argv[1], sys.argv[2:])"
)


def bound_to_parent(command: Sequence[str]) -> list[str]:
    """Return the command that ends with this process. Raises FileNotFoundError if the program does not exist."""
    program = shutil.which(command[0]) if command else None
    if program is None:
        named = command[0] if command else "nothing"
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), named)
    if sys.platform != "linux":
        return [program, *command[1:]]
    launcher = _LAUNCHER.format(signal=int(signal.SIGKILL), parent=os.getpid())
    return [sys.executable, "-I", "-S", "-c", launcher, program, *command]
