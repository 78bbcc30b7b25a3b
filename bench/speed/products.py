"""mailbot as the throughput bench runs it: a desk that is prepared once and copied for each round.

A product has `name`, `tag`, `prepare(folder, earlier)` (a desk in `folder` that has taken in these mails) and
`take_in(folder)` (the measured process: everything from the mailbox `USER`, at the end all mail is out).
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.speed.corpus import DESK, Mail
from bench.support import machine
from tests.support.dovecot import PASSWORD, Dovecot

ROOT = Path(__file__).parents[2]
AGENT = "sally@bench.local"

_CONFIG = """
[helpdesk]
address = "{desk}"
first_ticket_number = 1
[storage]
data_dir = "{folder}/data"
[imap]
port = {imap}
security = "none"
username = "{user}"
password = "{password}"
[smtp]
port = {smtp}
security = "none"
[inbound]
max_auto_replies_per_sender = "100000/h"
[agent_mail]
notify = "{notify}"
[[agents]]
name = "Sally"
email = "{agent}"
[log]
level = "warning"
{more}
"""


@dataclass(frozen=True)
class Servers:
    """Where mail comes from and goes to."""

    dovecot: Dovecot
    smtp_port: int


class Product(Protocol):
    """What is measured."""

    name: str
    tag: str

    def prepare(self, folder: Path, servers: Servers, earlier: Sequence[Mail]) -> None:
        """Make a desk in `folder` that has taken in these mails."""

    def take_in(self, folder: Path, servers: Servers, user: str) -> machine.Cost:
        """Take in everything that waits for `user`, with a desk that was prepared."""


class MailbotDesk:
    """mailbot. `notify` as in [agent_mail]."""

    tag = "mailbot"

    def __init__(self, name: str, notify: str) -> None:
        self.name = name
        self._notify = notify

    def prepare(self, folder: Path, servers: Servers, earlier: Sequence[Mail]) -> None:
        """Earlier tickets are Sally's: a reply to one goes to her, so there is one mail out for each mail in."""
        servers.dovecot.append("earlier", *(mail.raw for mail in earlier))
        cost = self.take_in(folder, servers, "earlier")
        assert cost.code == 0, (folder / "log").read_text()
        connection = sqlite3.connect(folder / "data" / "mailbot.db")
        with connection:
            connection.execute("UPDATE ticket SET agent = ?", (AGENT,))
        connection.close()

    def take_in(self, folder: Path, servers: Servers, user: str) -> machine.Cost:
        """`mailbot run --once`."""
        return machine.run(self.command(folder, servers, user, "run", "--once"), environment=here(), log=folder / "log")

    def command(self, folder: Path, servers: Servers, user: str, *arguments: str, more: str = "") -> list[str | Path]:
        """A command of mailbot at this desk, whose configuration is written anew."""
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "mailbot.toml"
        config.write_text(
            _CONFIG.format(
                desk=DESK, folder=folder, imap=servers.dovecot.port, user=user, password=PASSWORD,
                smtp=servers.smtp_port, notify=self._notify, agent=AGENT, more=more,
            ),
            encoding="utf-8",
        )  # fmt: skip
        return [sys.executable, "-m", "mailbot", "--config", config, *arguments]


def here() -> dict[str, str]:
    """An environment in which this mailbot runs, and nothing else of it is set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAILBOT_")}
    return kept | {"PYTHONPATH": str(ROOT)}
