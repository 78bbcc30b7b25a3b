"""Opens an SMTP session: connect, TLS, log in; with an error text for each way in which that fails.

In: the keys of `[smtp]`. Out: a `Session` ready for its first mail, or `NotReady` whose text names the server and the
remedy. Standards: RFC 5321 §3.1, RFC 3207 (STARTTLS), RFC 8314, RFC 4954 (AUTH), RFC 4616 (PLAIN), XOAUTH2.
Never: a password over an unencrypted connection to another machine; mail without TLS if TLS is configured; a DNS
look-up of this machine's own name (smtplib would make one).
"""

from __future__ import annotations

import base64
import smtplib
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailbot.errors import PermanentError, TemporaryError
from mailbot.transport.oauth import TokenRefused, TokenSource, xoauth2
from mailbot.transport.tls import (
    client_context,
    explain,
    interrupt,
    keep_alive,
    plaintext_fault,
    readable,
    without_secrets,
)

if TYPE_CHECKING:
    from mailbot.config.model import SmtpSettings

QUIT_TIMEOUT = 3.0


class NotReady(Exception):
    """The session could not be opened."""

    def __init__(self, text: str, *, code: int = 0, permanent: bool = False, credentials: bool = False) -> None:
        self.code = code  #: The server's reply code, 0 if there was none.
        self.permanent = permanent  #: Retrying without a change is pointless.
        self.credentials = credentials  #: Password or token were refused.
        super().__init__(text)


@dataclass
class Session:
    """A connection that is logged in."""

    smtp: smtplib.SMTP
    description: str  #: TLS version, log-in and extensions, for people.

    def __post_init__(self) -> None:
        self.pipelining = self.offers("pipelining")
        self.smtp.command_encoding = "utf-8"  # RFC 6531 §3.1; addresses that need it are sent only if it is offered

    def offers(self, extension: str) -> bool:
        """Return whether the server named this extension (lower case) in its reply to EHLO."""
        return extension in self.smtp.esmtp_features

    def quit(self) -> None:
        """Send QUIT, without waiting long for the reply, and close."""
        with suppress(smtplib.SMTPException, OSError):  # already closed, which is what was wanted
            self.set_timeout(QUIT_TIMEOUT)
            self.smtp.docmd("QUIT")
        self.smtp.close()

    def out_of_step(self) -> bool:
        """Return whether the server sent something unsolicited, or hung up: the next reply would be a wrong one."""
        sock, lines = self.smtp.sock, self.smtp.file
        if sock is None or readable(sock):
            return True
        if lines is None:
            return False
        timeout = sock.gettimeout()
        sock.settimeout(0)  # only what smtplib has buffered
        try:
            return bool(lines.peek(1))
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            sock.settimeout(timeout)

    def set_timeout(self, seconds: float) -> None:
        """Set how long the server may take to reply, or to accept what is sent."""
        if self.smtp.sock is not None:
            self.smtp.sock.settimeout(seconds)

    def interrupt(self) -> None:
        """Shut the connection down while another thread waits for it."""
        if self.smtp.sock is not None:
            interrupt(self.smtp.sock)


def server_name(settings: SmtpSettings) -> str:
    """Return how messages name the server."""
    return f"SMTP {settings.host}:{settings.port}"


def reply_text(words: bytes | str) -> str:
    """Return the text of a reply on one line."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return " ".join(text.split())[:1000]


def open_session(settings: SmtpSettings, tokens: TokenSource, timeout: float) -> Session:
    """Connect, EHLO, STARTTLS, EHLO, AUTH. Raises NotReady."""
    unsafe = plaintext_fault(settings, "smtp")
    if unsafe:
        raise NotReady(f"{server_name(settings)}: {unsafe}", permanent=True)
    smtp: smtplib.SMTP | None = None
    try:
        context = None if settings.security == "none" else client_context(settings.ca_file)
        smtp = _connect(settings, context if settings.security == "tls" else None, timeout)
        _greet(smtp, settings)
        if context is not None and settings.security == "starttls":
            _start_tls(smtp, settings, context)
        said = _log_in(smtp, settings, tokens)
        return Session(smtp, f"{_encryption(smtp)}, {said}, {_extensions(smtp)}")
    except BaseException as error:
        if smtp is not None:
            smtp.close()
        # ValueError: an impossible host name, a challenge that is no base64.
        if isinstance(error, (smtplib.SMTPException, OSError, ValueError)):
            raise _not_ready(error, settings) from error
        raise


def _connect(settings: SmtpSettings, context: ssl.SSLContext | None, timeout: float) -> smtplib.SMTP:
    name = socket.gethostname()
    name = name if "." in name else "localhost"  # replaced below, once the address is known
    if context is not None:
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            settings.host, settings.port, local_hostname=name, timeout=timeout, context=context
        )
    else:
        smtp = smtplib.SMTP(settings.host, settings.port, local_hostname=name, timeout=timeout)
    if smtp.sock is None:
        raise smtplib.SMTPServerDisconnected("the connection was closed at once")
    keep_alive(smtp.sock)
    if name == "localhost":
        # RFC 5321 §4.1.3: a client without a domain name sends an address literal.
        address = smtp.sock.getsockname()[0]
        smtp.local_hostname = f"[IPv6:{address}]" if ":" in address else f"[{address}]"
    return smtp


def _greet(smtp: smtplib.SMTP, settings: SmtpSettings) -> None:
    code, words = smtp.ehlo()
    if 500 <= code <= 599:
        code, words = smtp.helo()  # RFC 5321 §3.2: a server that is older than EHLO
    if not 200 <= code <= 299:
        raise _refused(settings, "EHLO", code, words)


def _start_tls(smtp: smtplib.SMTP, settings: SmtpSettings, context: ssl.SSLContext) -> None:
    if not smtp.has_extn("starttls"):
        raise NotReady(
            f"{server_name(settings)}: the server offers no STARTTLS on this port, and nothing is sent without. "
            'Set smtp.security = "tls" with smtp.port = 465, or correct the server.',
            permanent=True,
        )
    smtp.starttls(context=context)
    _greet(smtp, settings)  # RFC 3207 §4.2: the extensions announced before are void


def _log_in(smtp: smtplib.SMTP, settings: SmtpSettings, tokens: TokenSource) -> str:
    """Log in if a user name is configured; return a description of what was done."""
    if not settings.username:
        return "no log-in"
    offered = smtp.esmtp_features.get("auth", "").upper().split()
    if not offered:
        raise NotReady(
            f"{server_name(settings)}: the server offers no log-in here. Check smtp.port and smtp.security, "
            "or empty smtp.username if it wants none.",
            permanent=True,
        )
    if settings.auth == "xoauth2":
        code, words = _with_token(smtp, settings, tokens)
        keys = "smtp.username and the OAuth consent for it"
    else:
        code, words = _with_password(smtp, settings, offered)
        keys = "smtp.username and smtp.password"
    if code == 235:
        return f"logged in as {settings.username}"
    said = without_secrets(reply_text(words), settings.password.get_secret_value())
    refusal = _refused(settings, "the log-in", code, said)
    if 500 <= code <= 599:
        raise NotReady(f"{refusal} Check {keys}.", code=code, permanent=True, credentials=True)
    raise refusal


def _with_password(smtp: smtplib.SMTP, settings: SmtpSettings, offered: list[str]) -> tuple[int, bytes]:
    """Try once, with the first mechanism that both sides support: a second attempt may lock the account."""
    user, password = settings.username, settings.password.get_secret_value()
    if "PLAIN" in offered:
        return smtp.docmd("AUTH", f"PLAIN {_base64(f'{chr(0)}{user}{chr(0)}{password}')}")  # RFC 4616 §2
    if "LOGIN" in offered:
        code, words = smtp.docmd("AUTH", "LOGIN")
        for secret in (user, password):
            if code != 334:
                break
            code, words = smtp.docmd(_base64(secret))
        return code, words
    if "CRAM-MD5" in offered:
        smtp.user, smtp.password = user, password
        try:
            return smtp.auth("CRAM-MD5", smtp.auth_cram_md5)
        except smtplib.SMTPAuthenticationError as error:
            return error.smtp_code, _as_bytes(error.smtp_error)
    raise NotReady(
        f"{server_name(settings)}: the server offers only {', '.join(offered)} for the log-in; mailbot knows PLAIN, "
        'LOGIN, CRAM-MD5 and, with smtp.auth = "xoauth2", XOAUTH2.',
        permanent=True,
    )


def _with_token(smtp: smtplib.SMTP, settings: SmtpSettings, tokens: TokenSource) -> tuple[int, bytes]:
    """Log in by XOAUTH2; fetch a new token once if it is refused, since it may have been revoked early."""
    token = _token(settings, tokens)
    answer = _offer_token(smtp, settings.username, token)
    if answer[0] != 535:
        return answer
    tokens.forget()
    renewed = _token(settings, tokens)
    return answer if renewed == token else _offer_token(smtp, settings.username, renewed)


def _token(settings: SmtpSettings, tokens: TokenSource) -> str:
    try:
        return tokens.token()
    except TokenRefused as error:
        raise NotReady(f"{server_name(settings)}: {error}", permanent=True, credentials=True) from error
    except (TemporaryError, PermanentError) as error:
        raise NotReady(f"{server_name(settings)}: no access token: {error}") from error


def _offer_token(smtp: smtplib.SMTP, username: str, token: str) -> tuple[int, bytes]:
    code, words = smtp.docmd("AUTH", f"XOAUTH2 {_base64(xoauth2(username, token))}")
    # 334 carries the reason for a refusal; an empty line acknowledges it, and the actual refusal follows.
    return smtp.docmd("") if code == 334 else (code, words)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")


def _as_bytes(words: bytes | str) -> bytes:
    return words if isinstance(words, bytes) else words.encode("utf-8", "replace")


def _encryption(smtp: smtplib.SMTP) -> str:
    sock = smtp.sock
    return (sock.version() or "TLS") if isinstance(sock, ssl.SSLSocket) else "not encrypted"


def _extensions(smtp: smtplib.SMTP) -> str:
    known = [name for name in ("pipelining", "8bitmime", "smtputf8") if smtp.has_extn(name)]
    size = smtp.esmtp_features.get("size", "")
    return ", ".join([*(name.upper() for name in known), *([f"mail up to {size} bytes"] if size.strip("0") else [])])


def cause_of(error: Exception) -> Exception:
    """Return the cause of an error of smtplib, for `tls.explain`."""
    if isinstance(error.__context__, OSError):
        return error.__context__
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return ConnectionError("the server closed it")
    return error


def _refused(settings: SmtpSettings, what: str, code: int, words: bytes | str) -> NotReady:
    said = reply_text(words).rstrip(".")
    return NotReady(f"{server_name(settings)}: {what} was refused: {code} {said}.", code=code)


def _not_ready(error: Exception, settings: SmtpSettings) -> NotReady:
    """Convert any exception raised while opening a session."""
    if isinstance(error, smtplib.SMTPResponseException):
        what = "the connection" if isinstance(error, smtplib.SMTPConnectError) else "the session"
        return _refused(settings, what, error.smtp_code, error.smtp_error)
    cause = cause_of(error)
    permanent = isinstance(cause, (ssl.SSLCertVerificationError, FileNotFoundError, PermissionError))
    return NotReady(f"{server_name(settings)}: {explain(cause, 'smtp')}", permanent=permanent)
