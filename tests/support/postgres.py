"""A PostgreSQL of one's own: a cluster in a temporary folder, reached by a Unix socket there, gone after the tests.

As root the server's programs are run as an unprivileged user (they refuse root); elsewhere as oneself.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

_SETTINGS = {
    "listen_addresses": "",  # no network at all
    "fsync": "off",  # a cluster that lives for a minute needn't outlive a power cut
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
}


class Postgres:
    """A running cluster. `create()` gives the URL of a new database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = max(Path("/usr/lib/postgresql").glob("*/bin/initdb")).parent
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self._names = count(1)

    def start(self) -> None:
        """Make the cluster and wait until it answers."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(self.folder, self.user, self.user)
        data = self.folder / "data"
        self.run("initdb", "-D", str(data), "-A", "trust", "-U", "mailbot", "-E", "UTF8", "--locale=C", "-N")
        lines = [f"{name} = '{value}'" for name, value in _SETTINGS.items()]
        with (data / "postgresql.conf").open("a") as settings:
            settings.write("\n".join([*lines, f"unix_socket_directories = '{self.folder}'", ""]))
        self.run("pg_ctl", "-D", str(data), "-w", "-l", str(self.folder / "log"), "start")

    def stop(self) -> None:
        """End it at once; nothing in it is worth keeping."""
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def create(self, template: str = "template0") -> str:
        """A new database; its URL as `[storage] database_url` takes it."""
        name = f"desk{next(self._names)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def url(self, database: str) -> str:
        """The URL of a database of this cluster."""
        return f"postgresql+psycopg://mailbot@/{database}?host={self.folder}"

    def sql(self, statement: str) -> None:
        """Run a statement as the cluster's owner, outside any transaction."""
        self.run(
            "psql",
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            str(self.folder),
            "-U",
            "mailbot",
            "-d",
            "postgres",
            "-c",
            statement,
        )

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs; its words are in the error if it fails."""
        command = [str(self.programs / program), *arguments]
        if os.geteuid() == 0:
            command = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", *command]
        done = subprocess.run(
            command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program} ended with {done.returncode}: {done.stdout}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The cluster of this test run. Tests that ask for it are marked `postgresql`."""
    # The path of a Unix socket may have 107 bytes: pytest's own temporary folders are too deep.
    server = Postgres(Path(tempfile.mkdtemp(prefix="mailbot-pg-")))
    server.start()
    yield server
    server.stop()
