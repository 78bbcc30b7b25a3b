"""What IMAP and SMTP share: TLS contexts, keepalive, and texts for network errors.

In: the keys of a server section (`host`, `port`, `security`, `ca_file`, …) and the exceptions that a library raised.
Out: an `ssl.SSLContext` that verifies, a socket with keepalive, and one line for the reader of the log: what is wrong,
and the remedy. Standards: RFC 8314 (TLS for mail submission and access), RFC 9325 (TLS versions).
Never: a context that does not verify; a password in a text.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from mailbot.config.values import is_loopback

if TYPE_CHECKING:
    from mailbot.config.model import ImapSettings, SmtpSettings


class Explanation(NamedTuple):
    """A row of `EXPLANATIONS`: what a library raised, what it means, what to do."""

    kind: type[Exception]
    found: Callable[[Any], str]  #: Any: the exception, of type `kind`.
    remedy: str  #: `{}` stands for the section of the configuration.
    only: Callable[[Any], bool] = lambda _error: True  #: Narrows the row down to some exceptions of the type.


# The remedy for every connection that broke, at whatever point of a session.
CONNECTS_AGAIN = "mailbot connects again by itself."

# OpenSSL's verification results (openssl/x509_vfy.h) that depend on the date.
_NOT_YET_VALID, _EXPIRED = 9, 10


def _words(error: Exception) -> str:
    """Return the system's own words for `error`, without the number."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())


# The first row that matches applies, so narrower types stand above wider ones.
EXPLANATIONS: tuple[Explanation, ...] = (
    # The certificate has expired, or is not valid yet: a matter of the server's admin, or of this machine's clock.
    Explanation(
        ssl.SSLCertVerificationError,
        lambda e: "its TLS certificate has expired",
        "Renew the certificate on the server (and check this machine's clock); mailbot goes on by itself then.",
        only=lambda e: e.verify_code == _EXPIRED,
    ),
    Explanation(
        ssl.SSLCertVerificationError,
        lambda e: "its TLS certificate is not valid yet",
        "Check the clock of this machine (timedatectl) and that of the server.",
        only=lambda e: e.verify_code == _NOT_YET_VALID,
    ),
    # The chain or the name of the certificate is wrong: never to be ignored.
    Explanation(
        ssl.SSLCertVerificationError,
        lambda e: f"its TLS certificate is not trusted ({e.verify_message})",
        "Set {}.ca_file to the certificate of the authority that signed it, or {}.host to the name in the certificate.",
    ),
    # The server speaks plain text, or something older than TLS 1.2.
    Explanation(
        ssl.SSLError,
        lambda e: f"no TLS session could be agreed on ({getattr(e, 'reason', None) or _words(e)})",
        "Check that {}.port and {}.security belong together (993 and 465: tls; 143, 25 and 587: starttls).",
    ),
    # The name has no address, or this machine's resolver is down.
    Explanation(
        socket.gaierror,
        lambda e: f"the host name cannot be resolved ({_words(e)})",
        "Check the spelling of {}.host and this machine's DNS.",
    ),
    # Nothing listens there.
    Explanation(
        ConnectionRefusedError,
        lambda e: "the connection was refused",
        "Check that the server runs and that {}.port is right.",
    ),
    # Silence: a firewall, a dead network, a server that hangs.
    Explanation(
        TimeoutError,
        lambda e: "it did not answer in time" if "timed out" in str(e) else _words(e),
        "Check the network and the firewall between this machine and {}.host.",
    ),
    # Closed in the middle of a session.
    Explanation(ConnectionError, lambda e: f"the connection was lost ({_words(e)})", CONNECTS_AGAIN),
    # A local file: the certificate bundle.
    Explanation(FileNotFoundError, lambda e: f"{e.filename} does not exist", "Correct {}.ca_file."),
    Explanation(PermissionError, lambda e: f"{e.filename or 'the network'} may not be used", "Check {}.ca_file."),
    # Everything else that the operating system reports: no route, network down, …
    Explanation(OSError, _words, "Check the network between this machine and {}.host."),
)


def explain(error: Exception, section: str) -> str:
    """Return a sentence for what is wrong and one for the remedy; `section`: of the configuration ("imap")."""
    for row in EXPLANATIONS:
        if isinstance(error, row.kind) and row.only(error):
            return f"{row.found(error)}. {row.remedy.replace('{}', section)}"
    return f"{_words(error)}. mailbot tries again by itself."


def client_context(ca_file: str) -> ssl.SSLContext:
    """Return a context that verifies chain and name; `ca_file` "" means the authorities that this machine trusts.

    Raises OSError if `ca_file` can't be read or contains no certificate.
    """
    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 9325 §3.1.1: TLS 1.0 and 1.1 must not be negotiated
    return context


def plaintext_fault(settings: ImapSettings | SmtpSettings, section: str) -> str:
    """Return why this section must not be used ("" if it may): a password never crosses a network in the clear."""
    if settings.security != "none" or is_loopback(settings.host) or settings.allow_insecure:
        return ""
    return (
        f'{section}.security = "none" would send the password in the clear to {settings.host}. '
        f'Set {section}.security to "tls" or "starttls", or {section}.allow_insecure to true.'
    )


def keep_alive(sock: socket.socket) -> None:
    """Let the kernel probe a silent peer (a dead one is detected after about two minutes); send short lines at once."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, seconds in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, option):  # macOS has other names; its defaults are good enough
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)


def interrupt(sock: socket.socket) -> None:
    """Shut a socket down while another thread waits for it; that thread gets a network error at once."""
    with suppress(OSError):  # already shut down
        # Not SSLSocket's own method, which drops the TLS session while another thread reads from it.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def certificate_ends(sock: object) -> datetime | None:
    """Return when the server's certificate expires (RFC 5280 §4.1.2.5); None without TLS or connection."""
    try:
        found = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
    except (OSError, ValueError):
        return None
    ends = found.get("notAfter") if found else None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if isinstance(ends, str) else None


def readable(sock: socket.socket) -> bool:
    """Return whether `sock` has something to read (bytes, or the end) at this moment."""
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return True
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    return bool(poller.poll(0))


_PROOFS = re.compile(r"(?i)bearer\s+\S+|[A-Za-z0-9+/_-]{20,}={0,2}")


def without_secrets(said: str, *secrets: str) -> str:
    """Remove credentials from a server's reply to a log-in: some servers repeat them, even as base64 (SASL)."""
    for secret in secrets:
        if len(secret) >= 4:
            said = said.replace(secret, "***")
    return _PROOFS.sub("***", said)
