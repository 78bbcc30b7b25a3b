"""A private Dovecot on loopback, in a folder of its own: any user name, password "secret". As root or as anybody.

`Dovecot(home, …)` takes what a test wants to vary: the separator and prefix of folder names, the capabilities that the
server admits to, TLS, a quota. `start`/`stop` may be repeated; the mail stays. Needs Debian's dovecot-imapd (and
dovecot-lmtpd for `lmtp_port`). At `sasl_port` it judges log-ins for a Postfix.
"""

from __future__ import annotations

import contextlib
import grp
import imaplib
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

from tests.support.certificate import Certificate
from tests.support.loopback import (
    free_port,
    listening,
    until,
)
from tests.support.programs import find_program

PASSWORD = "secret"
# What Dovecot 2.3 says after the log-in, as far as mailbot looks at it; a test takes away from it.
FULL_CAPABILITY = "IMAP4rev1 LITERAL+ IDLE NAMESPACE UIDPLUS MOVE ESEARCH UNSELECT CHILDREN"


class Dovecot:
    """One server. `home`: a folder of its own that everybody may enter (`server_home` makes one)."""

    def __init__(
        self,
        home: Path,
        *,
        separator: str = "/",
        prefix: str = "",
        capability: str = "",
        certificate: Certificate | None = None,
        quota: str = "",
        login_capability: str = "",
        extra: str = "",
    ) -> None:
        self.home = home
        self.port, self.tls_port = free_port(), free_port() if certificate else 0
        self.lmtp_port, self.sasl_port = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.config = home / "dovecot.conf"
        root = os.geteuid() == 0
        # Dovecot refuses to run mail or log-in processes as root, and gives up root for named users only.
        owner, group = (
            ("nobody", "nogroup") if root else (pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name)
        )
        for part in ("run", "mail"):
            (home / part).mkdir(parents=True, exist_ok=True)
        if root:
            shutil.chown(home / "mail", owner, group)
        lines = [*self._basics(owner, group, root), *self._listeners(), *_tls(certificate)]
        lines += ["namespace inbox {", "inbox = yes", f"separator = {separator}", f"prefix = {prefix}", "}"]
        if capability:
            lines += ["protocol imap {", f"imap_capability = {capability}", "}"]
        if quota:
            lines += ["mail_plugins = quota", "plugin {", "quota = count:User", f"quota_rule = *:{quota}"]
            lines += ["quota_vsizes = yes", "}"]
        if login_capability:
            lines += ["protocol imap-login {", f"imap_capability = {login_capability}", "}"]
        self.config.write_text("\n".join([*lines, extra, ""]), encoding="utf-8")

    def _basics(self, owner: str, group: str, root: bool) -> Iterator[str]:
        yield f"base_dir = {self.home}/run"
        yield f"state_dir = {self.home}/run"
        yield f"log_path = {self.home}/dovecot.log"
        yield f"instance_name = mailbot-{self.port}"
        yield "listen = 127.0.0.1"
        yield "disable_plaintext_auth = no"
        yield "auth_mechanisms = plain login"
        yield "auth_failure_delay = 0"
        yield "mail_max_userip_connections = 200"
        yield "recipient_delimiter = +"
        yield "lda_mailbox_autocreate = yes"
        yield f"mail_location = maildir:{self.home}/mail/%n"
        yield from (f"mail_uid = {owner}", f"mail_gid = {group}", "first_valid_uid = 1", "first_valid_gid = 1")
        if not root:
            yield from (f"default_internal_user = {owner}", f"default_login_user = {owner}")
            yield f"default_internal_group = {group}"
        yield from ("passdb {", "driver = static", f"args = password={PASSWORD}", "}")
        yield from ("userdb {", "driver = static", f"args = uid={owner} gid={group} home={self.home}/mail/%n", "}")

    def _listeners(self) -> Iterator[str]:
        lmtp = Path("/usr/lib/dovecot/lmtp").exists()
        yield f"protocols = imap{' lmtp' if lmtp else ''}"
        # Without the listener a wrong password does not slow down the next log-in from the same address.
        yield from ("service anvil {", "chroot =", "unix_listener anvil-auth-penalty {", "mode = 0", "}", "}")
        yield from ("service imap-login {", "chroot =", "inet_listener imap {", f"port = {self.port}", "}")
        yield from ("inet_listener imaps {", f"port = {self.tls_port}", "}", "}")
        yield from ("service auth {", "inet_listener sasl {", f"port = {self.sasl_port}", "}", "}")
        if lmtp:
            yield from ("service lmtp {", "inet_listener lmtp {", f"port = {self.lmtp_port}", "}", "}")
            yield from ("protocol lmtp {", "auth_username_format = %Ln", "}")

    def __enter__(self) -> Dovecot:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and come back when it listens."""
        program = find_program("dovecot")
        assert program is not None
        self._process = subprocess.Popen(
            [program, "-F", "-c", str(self.config)], stderr=subprocess.DEVNULL, start_new_session=True
        )
        until(lambda: listening(self.port) or self._ended(), 15, "Dovecot listens")
        assert not self._ended(), f"Dovecot ended at once: {self.log()}"

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def stop(self) -> None:
        """Stop, and come back when it is gone; clients hear BYE and are cut off."""
        if self._process is not None:
            # The whole group: the master alone would wait ten seconds for its clients.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(15)
            self._process = None

    def kill(self) -> None:
        """Let it die as in a power cut: no BYE, nothing written any more."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(15)
            self._process = None

    def log(self) -> str:
        """The end of the server's own log."""
        with contextlib.suppress(FileNotFoundError):
            return (self.home / "dovecot.log").read_text(encoding="utf-8", errors="replace")[-4000:]
        return ""

    def doveadm(self, *arguments: str) -> str:
        """Run doveadm against this server."""
        program = find_program("doveadm")
        assert program is not None
        done = subprocess.run([program, "-c", str(self.config), *arguments], capture_output=True, text=True, check=True)
        return done.stdout

    def maildir(self, user: str) -> Path:
        """Where the mail of a user lies."""
        return self.home / "mail" / user

    @contextlib.contextmanager
    def client(self, user: str, folder: str = "") -> Iterator[imaplib.IMAP4]:
        """A plain imaplib connection, logged in, and with `folder` selected if one is given."""
        connection = imaplib.IMAP4("127.0.0.1", self.port, timeout=30)
        try:
            connection.login(user, PASSWORD)
            if folder:
                status, words = connection.select(f'"{folder}"')
                assert status == "OK", words
            yield connection
        finally:
            with contextlib.suppress(OSError, imaplib.IMAP4.error):
                connection.logout()

    def append(self, user: str, *mails: bytes, folder: str = "INBOX", flags: str = "") -> None:
        """Put mails into a folder, in one connection."""
        self.append_all(user, mails, folder=folder, flags=flags)

    def append_all(self, user: str, mails: Iterable[bytes], *, folder: str = "INBOX", flags: str = "") -> None:
        """The same, with one mail at a time in memory."""
        with self.client(user) as connection:
            for raw in mails:
                status, words = connection.append(f'"{folder}"', flags, None, raw)
                assert status == "OK", words

    def fill(self, user: str, mails: Iterable[bytes]) -> None:
        """Put mails into an inbox that nobody has opened yet, as files: APPEND takes longer the more there are.

        The names end as Dovecot's own do, with the sizes: it keeps names by a hash that their last letters make, and
        where these are alike a MOVE out of 20,000 mails takes a second and a half instead of 0.07.
        """
        inbox = self.maildir(user)
        for part in (inbox, inbox / "tmp", inbox / "cur", inbox / "new"):
            part.mkdir()
            self._give(part)
        for nth, raw in enumerate(mails):
            kept = raw.replace(b"\r\n", b"\n")
            size, on_the_wire = len(kept), len(kept) + kept.count(b"\n")
            path = inbox / "cur" / f"{1_700_000_000 + nth}.{nth}.fill,S={size},W={on_the_wire}:2,"
            path.write_bytes(kept)
            self._give(path)
        self.doveadm("mailbox", "status", "-u", user, "messages", "INBOX")  # makes its index

    def _give(self, path: Path) -> None:
        if os.geteuid() == 0:
            shutil.chown(path, "nobody", "nogroup")

    def mails(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """The mails of a folder as they are, in the order of their UIDs; [] where there is no such folder."""
        with self.client(user) as connection:
            if connection.select(f'"{folder}"', readonly=True)[0] != "OK":
                return []
            data = connection.fetch("1:*", "(BODY.PEEK[])")[1]
            return [entry[1] for entry in data if isinstance(entry, tuple)]

    def count(self, user: str, folder: str = "INBOX") -> int:
        """How many mails a folder holds; -1 where there is no such folder."""
        with self.client(user) as connection:
            status, words = connection.select(f'"{folder}"', readonly=True)
            return int(words[0] or 0) if status == "OK" else -1

    def flags(self, user: str, folder: str = "INBOX") -> list[str]:
        """The flags of each mail of a folder, as the server writes them."""
        with self.client(user, folder) as connection:
            data = connection.fetch("1:*", "(FLAGS)")[1]
            return [entry.decode() for entry in data if isinstance(entry, bytes)]


def _tls(certificate: Certificate | None) -> Iterator[str]:
    if certificate is None:
        yield "ssl = no"
        return
    yield from ("ssl = yes", f"ssl_cert = <{certificate.certificate}", f"ssl_key = <{certificate.key}")
    yield from ("service imap-login {", "inet_listener imaps {", "ssl = yes", "}", "}")
