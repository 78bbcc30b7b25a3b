"""Open an SMTP session: connect, TLS, log in; and words for each way in which that fails.

In: the keys of `[smtp]`. Out: a `Session` that waits for its first mail, or `NotReady` whose text names the place and
the mend. Standards: RFC 5321 §3.1, RFC 3207 (STARTTLS), RFC 8314, RFC 4954 (AUTH), RFC 4616 (PLAIN), XOAUTH2.
Never: a password over an unencrypted connection to another machine; mail without TLS where TLS was asked for; a look-up
of this machine's own name in DNS (smtplib would make one).
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
from mailbot.transport.tls import client_context, explain, keep_alive, plaintext_fault, readable, without_secrets

if TYPE_CHECKING:
    from mailbot.config.model import SmtpSettings

QUIT_WITHIN = 3.0


class NotReady(Exception):
    """No session. `code`: the server's reply code, 0 where there was none; `permanent`: waiting alone mends nothing;

    `credentials`: password or token are refused.
    """

    def __init__(self, text: str, *, code: int = 0, permanent: bool = False, credentials: bool = False) -> None:
        self.code = code
        self.permanent = permanent
        self.credentials = credentials
        super().__init__(text)


@dataclass
class Session:
    """A connection that is logged in. `description`: how, for people."""

    smtp: smtplib.SMTP
    description: str

    def __post_init__(self) -> None:
        self.pipelining = self.offers("pipelining")
        self.smtp.command_encoding = "utf-8"  # RFC 6531 §3.1; an address that needs it is only sent where it is known

    def offers(self, extension: str) -> bool:
        """Whether the server named this extension (lower case) in its answer to EHLO."""
        return extension in self.smtp.esmtp_features

    def quit(self) -> None:
        """Say goodbye, without waiting long for the answer."""
        with suppress(smtplib.SMTPException, OSError):  # it is gone already, which is what was wanted
            self.be_patient(QUIT_WITHIN)
            self.smtp.docmd("QUIT")
        self.smtp.close()

    def unasked(self) -> bool:
        """Whether the server said something that nobody asked for, or hung up: the next reply would be a wrong one."""
        sock, lines = self.smtp.sock, self.smtp.file
        if sock is None or readable(sock):
            return True
        if lines is None:
            return False
        patience = sock.gettimeout()
        sock.settimeout(0)  # only what smtplib has read already
        try:
            return bool(lines.peek(1))
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            sock.settimeout(patience)

    def be_patient(self, seconds: float) -> None:
        """From now on the server may take so long to answer, or to take what is sent."""
        if self.smtp.sock is not None:
            self.smtp.sock.settimeout(seconds)

    def interrupt(self) -> None:
        """Cut the connection under a thread that waits for it."""
        sock = self.smtp.sock
        if sock is not None:
            with suppress(OSError):  # cut already
                # Not the method of SSLSocket, which takes the TLS session away under the thread that reads from it.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


def place(settings: SmtpSettings) -> str:
    """How a message names the server."""
    return f"SMTP {settings.host}:{settings.port}"


def reply_text(words: bytes | str) -> str:
    """The server's words on one line."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return " ".join(text.split())[:1000]


def open_session(settings: SmtpSettings, tokens: TokenSource, timeout: float) -> Session:
    """Connect, EHLO, STARTTLS, EHLO, AUTH. Raises NotReady."""
    unsafe = plaintext_fault(settings, "smtp")
    if unsafe:
        raise NotReady(f"{place(settings)}: {unsafe}", permanent=True)
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
        # ValueError: a host name that can't be one, a challenge that is no base64.
        if isinstance(error, (smtplib.SMTPException, OSError, ValueError)):
            raise _not_ready(error, settings) from error
        raise


def _connect(settings: SmtpSettings, context: ssl.SSLContext | None, timeout: float) -> smtplib.SMTP:
    name = socket.gethostname()
    name = name if "." in name else "localhost"  # replaced below, once an address is known
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
        # RFC 5321 §4.1.3: who has no name says the address.
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
            f"{place(settings)}: the server offers no STARTTLS on this port, and nothing is sent without. "
            'Set smtp.security = "tls" with smtp.port = 465, or correct the server.',
            permanent=True,
        )
    smtp.starttls(context=context)
    _greet(smtp, settings)  # RFC 3207 §4.2: what the server said before is void


def _log_in(smtp: smtplib.SMTP, settings: SmtpSettings, tokens: TokenSource) -> str:
    """AUTH, where there is somebody to log in. What was done, in words."""
    if not settings.username:
        return "no log-in"
    offered = smtp.esmtp_features.get("auth", "").upper().split()
    if not offered:
        raise NotReady(
            f"{place(settings)}: the server offers no log-in here. Check smtp.port and smtp.security, "
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
    """One attempt with the first mechanism that both know: a second wrong one only gets an account locked."""
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
        f"{place(settings)}: the server offers only {', '.join(offered)} for the log-in; mailbot knows PLAIN, LOGIN, "
        'CRAM-MD5 and, with smtp.auth = "xoauth2", XOAUTH2.',
        permanent=True,
    )


def _with_token(smtp: smtplib.SMTP, settings: SmtpSettings, tokens: TokenSource) -> tuple[int, bytes]:
    """XOAUTH2; a token that is refused is renewed once: it may have been revoked before its time."""
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
        raise NotReady(f"{place(settings)}: {error}", permanent=True, credentials=True) from error
    except (TemporaryError, PermanentError) as error:
        raise NotReady(f"{place(settings)}: no access token: {error}") from error


def _offer_token(smtp: smtplib.SMTP, username: str, token: str) -> tuple[int, bytes]:
    code, words = smtp.docmd("AUTH", f"XOAUTH2 {_base64(xoauth2(username, token))}")
    # 334 carries the reason for a refusal; an empty line acknowledges it, and the refusal proper follows.
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
    """What lies behind an error of smtplib, as `network.explain` knows it."""
    if isinstance(error.__context__, OSError):
        return error.__context__
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return ConnectionError("the server closed it")
    return error


def _refused(settings: SmtpSettings, what: str, code: int, words: bytes | str) -> NotReady:
    said = reply_text(words).rstrip(".")
    return NotReady(f"{place(settings)}: {what} was refused: {code} {said}.", code=code)


def _not_ready(error: Exception, settings: SmtpSettings) -> NotReady:
    """Any fault of the way there, in words."""
    if isinstance(error, smtplib.SMTPResponseException):
        what = "the connection" if isinstance(error, smtplib.SMTPConnectError) else "the session"
        return _refused(settings, what, error.smtp_code, error.smtp_error)
    cause = cause_of(error)
    permanent = isinstance(cause, (ssl.SSLCertVerificationError, FileNotFoundError, PermissionError))
    return NotReady(f"{place(settings)}: {explain(cause, 'smtp')}", permanent=permanent)
