"""A private Postfix on loopback: the way in (→ LMTP → Dovecot) and the relay that mailbot submits to. Needs root.

`Postfix(home, desk_domain=…, lmtp_port=…, world_port=…)`: mail for the desk's domain goes to the LMTP server, all other
mail to the SMTP server at `world_port`, which plays the rest of the world. `port` takes mail from this machine without
a log-in; `submission_port` wants STARTTLS and a log-in, which Dovecot judges at `sasl_port`. `refusals` maps addresses
to replies ("550 5.1.1 unknown"). The queue is a real one: accepted mail is on the disk.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from tests.support.certificate import Certificate
from tests.support.loopback import (
    free_port,
    listening,
    until,
)
from tests.support.programs import find_program

_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{submission_port} inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

_MAIN = """
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/postfix.log
maillog_file_prefixes = {home}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.helpdesk.example
myorigin = helpdesk.example
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_transport = error:no local mail here
relay_domains = {desk_domain}
relay_transport = lmtp:inet:127.0.0.1:{lmtp_port}
default_transport = smtp:[127.0.0.1]:{world_port}
smtpd_recipient_restrictions = check_recipient_access inline:{{{refusals}}}, permit_mynetworks, reject
smtpd_relay_restrictions =
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
message_size_limit = 50000000
recipient_delimiter = +
minimal_backoff_time = 1s
queue_run_delay = 1s
smtp_tls_security_level = none
disable_dns_lookups = yes
{security}
"""

_SECURITY = """
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_auth_only = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{sasl_port}
"""


class Postfix:
    """One server. `home`: a folder of its own that everybody may enter (`server_home` makes one)."""

    def __init__(
        self,
        home: Path,
        *,
        world_port: int,
        desk_domain: str = "helpdesk.example",
        lmtp_port: int = 0,
        sasl_port: int = 0,
        certificate: Certificate | None = None,
        refusals: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home
        self.port, self.submission_port = free_port(), free_port()
        self.config = home / "etc"
        self._running = False
        for part in ("etc", "queue", "data"):
            (home / part).mkdir(parents=True, exist_ok=True)
        shutil.chown(home / "data", "postfix")
        security = ""
        if certificate is not None:
            security = _SECURITY.format(
                certificate=certificate.certificate, key=certificate.key, sasl_port=sasl_port or free_port()
            )
        rows = ", ".join(
            f"{{{address} = {words}}}" for address, words in (refusals or {"nobody@invalid": "DUNNO"}).items()
        )
        (self.config / "main.cf").write_text(
            _MAIN.format(
                home=home,
                desk_domain=desk_domain,
                lmtp_port=lmtp_port or free_port(),
                world_port=world_port,
                refusals=rows,
                security=security,
            ),
            encoding="utf-8",
        )
        (self.config / "master.cf").write_text(
            _MASTER.format(port=self.port, submission_port=self.submission_port), encoding="utf-8"
        )

    def _postfix(self, *arguments: str) -> None:
        program = find_program("postfix")
        assert program is not None
        done = subprocess.run(
            [program, "-c", str(self.config), *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"postfix {' '.join(arguments)}: {done.stderr}{self.log()}"

    def __enter__(self) -> Postfix:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and come back when it listens."""
        self._postfix("start")
        self._running = True
        until(lambda: listening(self.port) and listening(self.submission_port), 15, "Postfix listens")

    def stop(self) -> None:
        """Stop at once; what is in the queue stays there."""
        if self._running:
            self._running = False
            self._postfix("abort")
            until(lambda: not listening(self.port), 15, "Postfix is gone")

    def log(self) -> str:
        """The end of the server's own log."""
        path = self.home / "postfix.log"
        return path.read_text(encoding="utf-8", errors="replace")[-4000:] if path.exists() else ""
