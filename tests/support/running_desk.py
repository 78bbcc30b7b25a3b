"""`mailbot run` as a process of its own, between a real IMAP server and an SMTP server that receives.

The daemon and the commands beside it are forks of a process that has loaded mailbot already (forkserver.py).
"""

from __future__ import annotations

import email
import email.policy
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, getaddresses, make_msgid
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support import forkserver
from tests.support.dovecot import PASSWORD, Dovecot
from tests.support.forkserver import Process
from tests.support.loopback import until
from tests.support.people import (
    ACHA,
    ADDRESS,
    BUDI,
    SALLY,
    WIRE,
    Sent,
)
from tests.support.smtp_sink import Sink

__all__ = ["ACHA", "ADDRESS", "BUDI", "SALLY", "RunningDesk"]

CONFIG = """
[helpdesk]
address = "{address}"
first_ticket_number = 12345
[storage]
data_dir = "{data}"
database_url = "{database_url}"
[imap]
host = "127.0.0.1"
port = {imap_port}
security = "none"
username = "support"
password = "{password}"
poll_interval = "2s"
[smtp]
host = "127.0.0.1"
port = {smtp_port}
security = "none"
[timers]
reminders = ["{first}", "{second}"]
auto_close = "{close}"
{more}
[[agents]]
name = "Sally"
email = "{sally}"
[[agents]]
name = "Budi"
email = "{budi}"
role = "lead"
"""


@dataclass
class RunningDesk:
    """A desk's process. `smtp_port` is the sink's unless a relay stands between.

    `constants`: constants of mailbot that are others in the daemon (`forkserver.replace`). `from_nothing`: the
    daemon is a new interpreter, as where an admin starts it. `wrapper`: what stands before its command (from nothing).
    """

    home: Path
    dovecot: Dovecot
    sink: Sink
    smtp_port: int = 0
    database_url: str = ""
    timers: tuple[str, str, str] = ("6h", "24h", "48h")
    more: str = ""
    deliver: Any = None
    sally: str = SALLY
    budi: str = BUDI
    constants: Mapping[str, float] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    from_nothing: bool = False
    wrapper: Sequence[str] = ()
    process: Process | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.config = self.home / "mailbot.toml"
        self.log_file = self.home / "mailbot.log"
        self.write_config()

    def write_config(self, **changed: Any) -> None:
        first, second, close = self.timers
        values = {
            "address": ADDRESS, "data": self.home / "data", "database_url": self.database_url,
            "imap_port": self.dovecot.port, "password": PASSWORD, "smtp_port": self.smtp_port or self.sink.port,
            "first": first, "second": second, "close": close, "more": self.more, "sally": self.sally, "budi": self.budi,
        } | changed  # fmt: skip
        self.config.write_text(CONFIG.format(**values), encoding="utf-8")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.stop(signal.SIGKILL)
        if kind is not None:
            print(self.log()[-4000:], file=sys.stderr)  # noqa: T201 - what a failed test has to show

    def start(self, *arguments: str) -> None:
        words = ["run", *arguments, "--config", str(self.config)]
        environment = os.environ | self.environment
        if not self.from_nothing and not self.wrapper:
            self.process = forkserver.shared().start(
                words, self.log_file, environment=environment, constants=self.constants
            )
            return
        assert not self.constants, "only a fork can have other constants"
        command = [*self.wrapper, sys.executable, "-m", "mailbot", *words]
        with self.log_file.open("ab") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, cwd=forkserver.ROOT, env=environment)

    def stop(self, how: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        code = self.process.wait(15)
        self.process = None
        return code

    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""

    def logged(self, words: str, *, times: int = 1, seconds: float = 30) -> None:
        def found() -> bool:
            ended = self.process is not None and self.process.poll() is not None
            enough = self.log().count(words) >= times
            assert enough or not ended, f"it has ended before {words!r} was in the log:\n{self.log()[-3000:]}"
            return enough

        try:
            until(found, seconds, f"{words!r} in the log")
        except AssertionError as error:
            error.add_note(self.log()[-3000:])
            raise

    def cli(self, *arguments: str, check: bool = True) -> str:
        done = forkserver.shared().run(*arguments, "--config", str(self.config), timeout=60)
        if check:
            assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def ticket(self, number: int = 12345) -> dict[str, Any]:
        return dict(json.loads(self.cli("ticket", "show", str(number), "--json")))

    def tickets(self) -> list[dict[str, Any]]:
        return list(json.loads(self.cli("ticket", "list", "--limit", "1000", "--json")))

    # people

    def write(
        self, sender: str, subject: str, text: str = "Isi.", *, to: str = ADDRESS,
        headers: dict[str, str] | None = None, files: Sequence[tuple[str, bytes]] = (),
    ) -> None:  # fmt: skip
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, to, subject
        mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain="sekolah.example")
        for name, value in (headers or {}).items():
            mail[name] = value
        mail.set_content(text)
        for name, content in files:
            mail.add_attachment(content, maintype="image", subtype="jpeg", filename=name)
        raw = mail.as_bytes(policy=WIRE)
        if self.deliver is not None:
            self.deliver(sender, to, raw)
        else:
            self.dovecot.append("support", raw)

    def reply(self, to: Sent, sender: str, text: str) -> None:
        quoted = "\n".join("> " + line for line in to.text.splitlines())
        body = f"{text}\n\nPada tanggal Sen, 3 Nov 2025 pukul 15.10 Helpdesk <{ADDRESS}> menulis:\n\n{quoted}\n"
        headers = {
            "In-Reply-To": to["Message-ID"], "References": f"{to['References']} {to['Message-ID']}".strip(),
        }  # fmt: skip
        address = getaddresses([to["Reply-To"]])[0][1]
        self.write(sender, f"Re: {to['Subject']}", body, to=address, headers=headers)

    # what came of it

    def sent(self) -> list[Sent]:
        return [
            Sent(e.mail_from or "", e.rcpt_tos[0], bytes(e.original_content or b"")) for e in list(self.sink.envelopes)
        ]

    def to(self, recipient: str, kind: str = "") -> list[Sent]:
        return [m for m in self.sent() if m.recipient == recipient and (not kind or m.kind == kind)]

    def wait_for(self, recipient: str, kind: str, *, nth: int = 1, seconds: float = 60) -> Sent:
        until(
            lambda: len(self.to(recipient, kind)) >= nth, seconds,
            f"{kind} {nth} to {recipient}; came: {[(m.recipient, m.kind) for m in self.sent()]}",
        )  # fmt: skip
        return self.to(recipient, kind)[nth - 1]

    def inbox_is_empty(self, seconds: float = 60) -> None:
        until(lambda: self.dovecot.count("support") == 0, seconds, "the inbox is worked off")


def parsed(raw: bytes) -> EmailMessage:
    """A mail as the standard library reads it."""
    return email.message_from_bytes(raw, policy=email.policy.default)  # type: ignore[return-value]
