"""Notification of systemd about the daemon's state: sd_notify(3) over its datagram socket, without a library.

In: states. Out: datagrams to `$NOTIFY_SOCKET`; nothing if it is not set (a terminal, cron, a container).
Never: raises because nothing listens; sends a watchdog signal by itself: the caller has checked that all is well.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping


class Notifier:
    """The connection to the service manager, if any. `environ` is read once."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        name = environ.get("NOTIFY_SOCKET", "")
        # sd_notify(3): "@" stands for the NUL that begins the name of a Linux abstract socket.
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        self._watchdog_every = _watchdog_every(environ)

    @property
    def listening(self) -> bool:
        """Whether there is a service manager."""
        return self._address.startswith(("/", "\0"))

    @property
    def watchdog_every(self) -> float | None:
        """Seconds between watchdog signals, half of the unit's WatchdogSec=; None: the watchdog is off."""
        return self._watchdog_every

    def ready(self, status: str) -> None:
        """Report that startup or a reload is complete."""
        self._send(f"READY=1\nSTATUS={_one_line(status)}")

    def status(self, status: str) -> None:
        """Set the line that `systemctl status` shows."""
        self._send(f"STATUS={_one_line(status)}")

    def watchdog(self) -> None:
        """Send a watchdog signal."""
        self._send("WATCHDOG=1")

    def reloading(self) -> None:
        """Report the start of a reload, which `ready` ends. Type=notify-reload requires the timestamp."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, status: str = "stopping") -> None:
        """Report the start of shutdown."""
        self._send(f"STOPPING=1\nSTATUS={_one_line(status)}")

    def _send(self, message: str) -> None:
        if not self.listening:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.settimeout(2.0)
            try:
                sock.sendto(message.encode(), self._address)
            except OSError:
                # The manager is gone or its queue is full: the daemon continues without it. After a lost READY or
                # WATCHDOG the manager restarts it.
                return


def _watchdog_every(environ: Mapping[str, str]) -> float | None:
    """Return half of WATCHDOG_USEC in seconds, if it is set for this process (sd_watchdog_enabled(3))."""
    allowed, owner = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not allowed.isdigit() or int(allowed) == 0 or (owner and owner != str(os.getpid())):
        return None
    return int(allowed) / 2_000_000


def _one_line(text: str) -> str:
    """Join lines: a line break would begin another assignment."""
    return " ".join(text.split())
