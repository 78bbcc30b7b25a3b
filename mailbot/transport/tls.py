"""What the two shells towards the world (IMAP in, SMTP out) share: TLS, sockets that notice death, words for faults.

In: the keys of a server section (`host`, `port`, `security`, `ca_file`, …) and the exceptions that a library raised.
Out: an `ssl.SSLContext` that verifies, a socket with keepalive, and one line for the person who reads the log: what was
found, and the mend. Standards: RFC 8314 (TLS for mail submission and access), RFC 9325 (TLS versions).
Never: a context that does not verify; a password in a text.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from mailbot.config.model import ImapSettings, SmtpSettings
from mailbot.config.values import is_loopback


class Fault(NamedTuple):
    """A row of `FAULTS`: what the library raised, what it means, what to do. `{}` is the section of the key.

    `only`: narrows the row down to some exceptions of the type.
    """

    kind: type[Exception]
    found: Callable[[Any], str]
    mend: str
    only: Callable[[Any], bool] = lambda _error: True


# The mend of every connection that broke, wherever in a session and whatever the last words were.
CONNECTS_AGAIN = "mailbot connects again by itself."

# OpenSSL's verification results (openssl/x509_vfy.h) that a look at a calendar mends.
_NOT_YET_VALID, _EXPIRED = 9, 10


def _words(error: Exception) -> str:
    """The system's own words for `error`, without the number."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())


# The first row whose type fits is taken, so the narrower type stands above the wider one.
FAULTS: tuple[Fault, ...] = (
    # The certificate's time is over, or has not come: the server's admin, or this machine's clock.
    Fault(
        ssl.SSLCertVerificationError,
        lambda e: "its TLS certificate has expired",
        "Renew the certificate on the server (and check this machine's clock); mailbot goes on by itself then.",
        only=lambda e: e.verify_code == _EXPIRED,
    ),
    Fault(
        ssl.SSLCertVerificationError,
        lambda e: "its TLS certificate is not valid yet",
        "Check the clock of this machine (timedatectl) and that of the server.",
        only=lambda e: e.verify_code == _NOT_YET_VALID,
    ),
    # The chain or the name of the certificate is wrong: never to be passed over.
    Fault(
        ssl.SSLCertVerificationError,
        lambda e: f"its TLS certificate is not trusted ({e.verify_message})",
        "Set {}.ca_file to the certificate of the authority that signed it, or {}.host to the name in the certificate.",
    ),
    # The other side speaks plain text, or something older than TLS 1.2.
    Fault(
        ssl.SSLError,
        lambda e: f"no TLS session could be agreed on ({getattr(e, 'reason', None) or _words(e)})",
        "Check that {}.port and {}.security belong together (993 and 465: tls; 143, 25 and 587: starttls).",
    ),
    # The name has no address, or this machine's resolver is down.
    Fault(
        socket.gaierror,
        lambda e: f"the host name cannot be resolved ({_words(e)})",
        "Check the spelling of {}.host and this machine's DNS.",
    ),
    # Nothing listens there.
    Fault(
        ConnectionRefusedError,
        lambda e: "the connection was refused",
        "Check that the server runs and that {}.port is right.",
    ),
    # Silence: a firewall, a dead network, a server that hangs.
    Fault(
        TimeoutError,
        lambda e: "it did not answer in time" if "timed out" in str(e) else _words(e),
        "Check the network and the firewall between this machine and {}.host.",
    ),
    # Cut off in the middle.
    Fault(ConnectionError, lambda e: f"the connection was lost ({_words(e)})", CONNECTS_AGAIN),
    # A file of ours, not the network: the certificate bundle.
    Fault(FileNotFoundError, lambda e: f"{e.filename} does not exist", "Correct {}.ca_file."),
    Fault(PermissionError, lambda e: f"{e.filename or 'the network'} may not be used", "Check {}.ca_file."),
    # Everything else that the operating system says: no route, network down, …
    Fault(OSError, _words, "Check the network between this machine and {}.host."),
)


def explain(error: Exception, section: str) -> str:
    """One sentence for what was found and one for the mend; `section` is the part of the configuration ("imap")."""
    for row in FAULTS:
        if isinstance(error, row.kind) and row.only(error):
            return f"{row.found(error)}. {row.mend.replace('{}', section)}"
    return f"{_words(error)}. mailbot tries again by itself."


def client_context(ca_file: str) -> ssl.SSLContext:
    """A context that verifies chain and name; `ca_file` "" means the authorities that this machine trusts.

    Raises OSError where `ca_file` can't be read or holds no certificate.
    """
    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 9325 §3.1.1: TLS 1.0 and 1.1 must not be negotiated
    return context


def plaintext_fault(settings: ImapSettings | SmtpSettings, section: str) -> str:
    """Why this section may not be used as it stands ("" if it may): a password never crosses a network in the clear."""
    if settings.security != "none" or is_loopback(settings.host) or settings.allow_insecure:
        return ""
    return (
        f'{section}.security = "none" would send the password in the clear to {settings.host}. '
        f'Set {section}.security to "tls" or "starttls", or {section}.allow_insecure to true.'
    )


def keep_alive(sock: socket.socket) -> None:
    """Let the kernel probe a silent peer (a dead one is noticed after about two minutes); send small lines at once."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, seconds in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, option):  # macOS has other names; its defaults do
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)


def certificate_ends(sock: object) -> datetime | None:
    """When the certificate of the other side ends (RFC 5280 §4.1.2.5); None without TLS or connection."""
    try:
        found = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
    except (OSError, ValueError):
        return None
    ends = found.get("notAfter") if found else None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if isinstance(ends, str) else None


def readable(sock: socket.socket) -> bool:
    """Whether something (bytes, or the end) waits at `sock` at this moment."""
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return True
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    return bool(poller.poll(0))


_PROOFS = re.compile(r"(?i)bearer\s+\S+|[A-Za-z0-9+/_-]{20,}={0,2}")


def without_secrets(said: str, *secrets: str) -> str:
    """What a server says to a refused log-in, without the log-in itself: some repeat it, also as base64 (SASL)."""
    for secret in secrets:
        if len(secret) >= 4:
            said = said.replace(secret, "***")
    return _PROOFS.sub("***", said)
