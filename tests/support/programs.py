"""The programs that tests start for themselves: where they are, which package has them, what happens without them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest


class Server(NamedTuple):
    """A program that tests start for themselves: what must be there, and how it gets onto a Debian machine.

    Names with a "*" are patterns below /usr/lib.
    """

    programs: tuple[str, ...]
    package: str


SERVERS: dict[str, Server] = {
    "dovecot": Server(("dovecot", "/usr/lib/dovecot/imap"), "dovecot-imapd dovecot-lmtpd"),
    "postfix": Server(("postfix", "/usr/lib/postfix/sbin/smtpd"), "postfix"),
    "postgresql": Server(("postgresql/*/bin/initdb",), "postgresql"),
    "openssl": Server(("openssl",), "openssl"),
    "clamav": Server(("clamd",), "clamav-daemon"),
    "chromium": Server(("chromium",), "chromium"),
    "faketime": Server(("faketime",), "faketime"),
    "strace": Server(("strace",), "strace"),
}


def find_program(name: str) -> str | None:
    """The path of a program, also of one in a system folder that is not on everybody's PATH."""
    if "*" in name:
        return next((str(found) for found in sorted(Path("/usr/lib").glob(name), reverse=True)), None)
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def require(name: str) -> None:
    """Skip the test where the server `name` is missing; fail it where CI=true."""
    server = SERVERS[name]
    missing = [program for program in server.programs if find_program(program) is None]
    if missing:
        words = f"{name} is missing ({missing[0]} not found): apt-get install {server.package}"
        if os.environ.get("CI") == "true":
            pytest.fail(words, pytrace=False)
        pytest.skip(words)
