"""Telling systemd how the daemon is: sd_notify(3) over its datagram socket, without a library.

In: states. Out: datagrams to `$NOTIFY_SOCKET`; nothing at all where there is none (a terminal, cron, a container).
Never: an exception because nobody listens; a watchdog sign by itself: who calls `watchdog` has looked that all is well.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping


class Notifier:
    """One connection to the service manager, or to nobody. `environ` is read once, when it is made."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        name = environ.get("NOTIFY_SOCKET", "")
        # sd_notify(3): "@" stands for the NUL that begins the name of a Linux abstract socket.
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        self._watchdog_every = _watchdog_every(environ)

    @property
    def listening(self) -> bool:
        """Is there a service manager to talk to?"""
        return self._address.startswith(("/", "\0"))

    @property
    def watchdog_every(self) -> float | None:
        """Seconds between two signs of life, half of what the unit's WatchdogSec= allows; None: none are wanted."""
        return self._watchdog_every

    def ready(self, status: str) -> None:
        """Start-up (or a reload) is done."""
        self._send(f"READY=1\nSTATUS={_one_line(status)}")

    def status(self, status: str) -> None:
        """One line for `systemctl status`."""
        self._send(f"STATUS={_one_line(status)}")

    def watchdog(self) -> None:
        """A sign of life."""
        self._send("WATCHDOG=1")

    def reloading(self) -> None:
        """The configuration is being read again; `ready` ends it. The moment is needed by Type=notify-reload."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, status: str = "stopping") -> None:
        """The end has begun."""
        self._send(f"STOPPING=1\nSTATUS={_one_line(status)}")

    def _send(self, message: str) -> None:
        if not self.listening:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.settimeout(2.0)
            try:
                sock.sendto(message.encode(), self._address)
            except OSError:
                # The manager is gone or its queue is full: a daemon works on without being watched, and there is
                # nobody to tell. A lost READY or WATCHDOG shows at the manager, which restarts us.
                return


def _watchdog_every(environ: Mapping[str, str]) -> float | None:
    """sd_watchdog_enabled(3): a sign is due within WATCHDOG_USEC, from the process WATCHDOG_PID; half of it is wise."""
    allowed, owner = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not allowed.isdigit() or int(allowed) == 0 or (owner and owner != str(os.getpid())):
        return None
    return int(allowed) / 2_000_000


def _one_line(text: str) -> str:
    """A line break would begin another assignment."""
    return " ".join(text.split())
