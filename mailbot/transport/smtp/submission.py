"""Submits one composed mail to the mail server and returns the result.

In: an envelope and the bytes of a mail. Out: `Accepted`, `Deferred` (the same mail may be accepted later) or `Rejected`
(it never will be). Standards: RFC 5321, RFC 6409 (submission), RFC 2920 (pipelining), RFC 6152 (8BITMIME), RFC 6531
(SMTPUTF8), RFC 1870 (SIZE). `session` opens the connection.

One connection is kept open over many mails. If the server offers PIPELINING, envelope and DATA are sent in one packet.
The result depends on the reply to the final dot alone: what happens afterwards does not change it. A connection that
turns out to be dead before the content was sent is opened again, once; after that the mail is Deferred, even if only
the reply to the dot was lost: then it may arrive twice (RFC 5321 §6.1), with the same Message-ID, but is never lost.
Never: an exception out of `send`; a change to the mail, except its line ends; a thread.
"""

from __future__ import annotations

import re
import smtplib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from mailbot.errors import LogInRefused, PermanentError, TemporaryError
from mailbot.mail.compose.streaming import Outgoing
from mailbot.transport.oauth import TokenSource
from mailbot.transport.smtp.session import NotReady, Session, cause_of, open_session, reply_text, server_name
from mailbot.transport.tls import certificate_ends, explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from mailbot.config.model import SmtpSettings


# Servers close silent connections after some minutes (RFC 5321 §4.5.3.2.7: five); this is well before that.
REUSE_WITHIN = 100.0
# A link slower than this, bytes a second, counts as broken.
SLOWEST = 16 * 1024
# The timeout for the reply to the final dot, as a multiple of that for a command. RFC 5321 §4.5.3.2.6 asks for ten
# minutes; these are four by default, so that the watchdog of five minutes does not kill the process first.
TIMEOUT_FACTOR_AFTER_DOT = 4
# Content is sent in pieces of this size, so that `active_at` advances.
PIECE = 256 * 1024

_LINE_END = re.compile(rb"\r\n|\r|\n")
_NO_ADDRESS = re.compile(r"[\x00-\x20\x7f-\x9f<>]")


@dataclass(frozen=True)
class Accepted:
    """The server took responsibility for the mail."""

    response: str  #: Its reply.


@dataclass(frozen=True)
class Deferred:
    """The mail was not accepted now, but may be later."""

    code: int  #: The server's reply code, 0 if there was none.
    text: str  #: Its reply, or what is wrong and the remedy.
    server_gone: bool  #: The cause is the server or the connection: the next mail would fail as well.
    credentials: bool = False  #: Password or token were refused.
    tried: bool = True  #: False if the mail was not offered at all (no connection, no log-in), so it is not the cause.


@dataclass(frozen=True)
class Rejected:
    """The mail will never be accepted."""

    code: int  #: The server's reply code.
    text: str  #: Its reply.


SubmissionResult = Accepted | Deferred | Rejected


class Reply(NamedTuple):
    """One reply of the server (RFC 5321 §4.2)."""

    code: int
    text: str


class Verdict(NamedTuple):
    """A row of `VERDICTS`: what replies in a range of codes mean for the mail and for the connection."""

    lowest: int
    highest: int
    permanent: bool
    ends_connection: bool
    server_gone: bool
    remedy: str
    tried: bool = True  #: As in `Deferred`.


# What a refusal means; the first row that contains the code applies. The classes are from RFC 5321 §4.2.1, the codes
# from RFC 5321 §4.2.3 and RFC 4954 §6.
VERDICTS: tuple[Verdict, ...] = (
    # The server closes the connection, for whatever reason.
    Verdict(421, 421, False, True, True, ""),
    # Everything else in class 4 concerns this mail, this recipient, this moment.
    Verdict(400, 499, False, False, False, ""),
    # "Bad sequence" and "not implemented": server and client are out of step; a new connection may help.
    Verdict(502, 503, False, True, False, ""),
    # It requires a log-in, another one, or encryption first: a configuration error, which must not fail any mail.
    Verdict(530, 530, False, True, True, "Set smtp.username and smtp.password, and smtp.security.", False),
    Verdict(534, 535, False, True, True, "Check smtp.username and smtp.password.", False),
    Verdict(538, 538, False, True, True, 'Set smtp.security to "starttls" or "tls".', False),
    # Everything else in class 5 is final for this mail.
    Verdict(500, 599, True, False, False, ""),
    # Neither a refusal nor what was expected. What it concerns is unknown, hence temporary.
    Verdict(-99, 999, False, True, False, "The server's reply makes no sense here."),
)


class Submission:
    """A connection to one SMTP server. `timeout`: seconds that a reply to a command may take."""

    def __init__(self, settings: SmtpSettings, *, timeout: float = 60.0) -> None:
        self._settings = settings
        self._timeout = timeout
        self._tokens = TokenSource.of(settings, "smtp")
        self._session: Session | None = None
        #: When the server last accepted or sent something (time.monotonic); it advances during a long transfer.
        self.active_at = 0.0
        self.certificate_ends: datetime | None = None  #: As of the last connection.

    def send(self, envelope_from: str, recipient: str, raw: bytes | Outgoing) -> SubmissionResult:
        """Submit one mail to one recipient. `envelope_from` "" is the null reverse-path (RFC 5321 §4.5.5).

        `raw` as bytes may have any line ends; an `Outgoing` has CRLF at the end of each line.
        """
        for what, address in (("sender", envelope_from), ("recipient", recipient)):
            if _NO_ADDRESS.search(address) or (not address and what == "recipient"):
                return Rejected(553, f"{address!r} cannot be a {what} of mail (RFC 5321 §4.1.2)")
        content = raw if isinstance(raw, Outgoing) else Outgoing((line_ends(raw),))
        while True:
            reused = self._reusable()
            try:
                session = self._ready()
                envelope = _envelope(session, envelope_from, recipient, content)
                if isinstance(envelope, Rejected):
                    return envelope
                refusal, waits_for_content = self._offer(session, envelope)
            except NotReady as error:
                return Deferred(error.code, str(error), server_gone=True, credentials=error.credentials, tried=False)
            except (smtplib.SMTPException, OSError) as error:
                self._drop()
                if not reused:
                    return self._lost(error, "before the mail was handed over")
                continue  # the server had closed it in the meantime, and nothing of this mail was sent
            if refusal is None and session.out_of_step():
                refusal = Reply(-1, "it sent an unsolicited reply")  # what is read for the dot could be an older one
            if refusal is None:
                return self._hand_over(session, content)
            if reused and refusal.code == 421:
                self._drop()  # the same, announced
                continue
            result = self._judge(refusal)
            if self._session is not None:
                self._reset(self._session, waits_for_content)
            return result

    def check(self) -> str:
        """Connect, log in, send NOOP; return a line about the server. Raises TemporaryError or PermanentError."""
        self.close()
        try:
            session = self._ready()
            code, words = session.smtp.noop()
        except NotReady as error:
            kind = LogInRefused if error.credentials else PermanentError if error.permanent else TemporaryError
            raise kind(str(error)) from error
        except (smtplib.SMTPException, OSError) as error:
            raise TemporaryError(self._lost(error, "at NOOP").text) from error
        finally:
            self.close()
        if code != 250:
            raise TemporaryError(f"{server_name(self._settings)}: NOOP was answered with {code} {reply_text(words)}.")
        return f"{server_name(self._settings)}: {session.description}"

    def close(self) -> None:
        """Send QUIT and close, if there is a connection."""
        session, self._session = self._session, None
        if session is not None:
            session.quit()

    def interrupt(self) -> None:
        """Abort what `send` waits for in another thread; it returns Deferred at once."""
        session = self._session
        if session is not None:
            session.interrupt()

    def _reusable(self) -> bool:
        """Return whether the open connection looks usable: used recently, and nothing unsolicited was received."""
        session = self._session
        return session is not None and time.monotonic() - self.active_at < REUSE_WITHIN and not session.out_of_step()

    def _ready(self) -> Session:
        """Return an open session. Raises NotReady."""
        if self._session is not None and not self._reusable():
            self.close()
        if self._session is None:
            self._session = open_session(self._settings, self._tokens, self._timeout)
            self.certificate_ends = certificate_ends(self._session.smtp.sock)
        self._session.set_timeout(self._timeout)
        self.active_at = time.monotonic()
        return self._session

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.smtp.close()

    def _offer(self, session: Session, envelope: Sequence[str]) -> tuple[Reply | None, bool]:
        """Send MAIL, RCPT and DATA; return the first refusal, if any, and whether the server waits for the content."""
        replies: list[Reply] = []
        if session.pipelining:
            session.smtp.send("".join(f"{line}\r\n" for line in envelope))  # RFC 2920 §3.1: DATA ends the group
        for line in envelope:
            if not session.pipelining:
                session.smtp.send(f"{line}\r\n")
            replies.append(self._reply(session))
            if replies[-1].code == 421 or (not session.pipelining and not _goes_on(line, replies[-1])):
                break
        refusals = [reply for line, reply in zip(envelope, replies, strict=False) if not _goes_on(line, reply)]
        return (refusals[0] if refusals else None), replies[-1].code == 354

    def _reset(self, session: Session, waits_for_content: bool) -> None:
        """Return the session to its initial state. The result is known already: a failure only closes the session."""
        try:
            if waits_for_content:
                # RFC 2920 §3.1: the server replied 354 although it has no recipient; an empty mail makes it refuse.
                session.smtp.send(b".\r\n")
                self._reply(session)
            code, _words = session.smtp.docmd("RSET")
        except (smtplib.SMTPException, OSError):
            code = -1
        if code != 250:
            self._drop()

    def _hand_over(self, session: Session, content: Outgoing) -> SubmissionResult:
        """Send the content and the final dot. From here on a lost connection leaves the result unknown."""
        try:
            session.set_timeout(self._timeout + PIECE / SLOWEST)
            for piece in dot_stuffed(content.pieces()):
                view = memoryview(piece)
                for start in range(0, len(view), PIECE):
                    session.smtp.send(view[start : start + PIECE])
                    self.active_at = time.monotonic()
            session.set_timeout(self._timeout * TIMEOUT_FACTOR_AFTER_DOT)
            reply = self._reply(session)
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            return self._lost(error, "while the mail was handed over, which may have arrived nevertheless")
        if 200 <= reply.code <= 299:
            return Accepted(f"{reply.code} {reply.text}")
        return self._judge(reply)

    def _reply(self, session: Session) -> Reply:
        code, words = session.smtp.getreply()
        self.active_at = time.monotonic()
        return Reply(code, reply_text(words))

    def _judge(self, reply: Reply) -> SubmissionResult:
        """Return what a refusal means, by `VERDICTS`."""
        row = next(row for row in VERDICTS if row.lowest <= reply.code <= row.highest)
        if row.ends_connection:
            self._drop()
        text = f"{reply.text.rstrip('.')}. {row.remedy}" if row.remedy else reply.text
        if row.permanent:
            return Rejected(reply.code, text)
        return Deferred(reply.code, text, row.server_gone, tried=row.tried)

    def _lost(self, error: Exception, when: str) -> Deferred:
        return Deferred(
            0, f"{server_name(self._settings)}: {when}: {explain(cause_of(error), 'smtp')}", server_gone=True
        )


def line_ends(raw: bytes) -> bytes:
    """Return `raw` with CRLF at the end of each line and at its own end (RFC 5321 §2.3.8: no bare CR or LF)."""
    breaks = raw.count(b"\n")
    if not breaks == raw.count(b"\r\n") == raw.count(b"\r"):
        raw = _LINE_END.sub(b"\r\n", raw)
    return raw if raw.endswith(b"\r\n") else raw + b"\r\n"


def dot_stuffed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces of a mail with a dot before each line that begins with one (RFC 5321 §4.5.2).

    The final dot is part of the last piece, so that a small mail is sent in one packet.
    """
    previous = b""
    begins_a_line = True
    for piece in pieces:
        if previous:
            yield previous
        previous = piece.replace(b"\n.", b"\n..")
        if begins_a_line and piece.startswith(b"."):
            previous = b"." + previous
        begins_a_line = piece.endswith(b"\n")
    yield previous + b".\r\n"


def _goes_on(line: str, reply: Reply) -> bool:
    """Return whether `reply` is the success code of the command in `line`."""
    return reply.code == 354 if line == "DATA" else 200 <= reply.code <= 299


def _envelope(session: Session, sender: str, recipient: str, content: Outgoing) -> list[str] | Rejected:
    """Return the commands before the content, with the parameters that this mail needs and this server offers."""
    sender, recipient = _ascii_domain(sender), _ascii_domain(recipient)
    foreign = next((address for address in (sender, recipient) if not address.isascii()), "")
    header = content.header
    parameters = f" SIZE={content.size}" if session.offers("size") else ""
    if session.offers("8bitmime") and not content.isascii():
        parameters += " BODY=8BITMIME"
    if foreign and not session.offers("smtputf8"):
        return Rejected(553, f"{foreign}: the mail server knows no SMTPUTF8 (RFC 6531), which this address needs")
    if foreign or (not header.isascii() and session.offers("smtputf8")):
        parameters += " SMTPUTF8"
    return [f"MAIL FROM:<{sender}>{parameters}", f"RCPT TO:<{recipient}>", "DATA"]


def _ascii_domain(address: str) -> str:
    """Convert the domain to A-labels (RFC 5890), so that only a non-ASCII local part needs SMTPUTF8."""
    local, at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return local + at + domain.encode("idna").decode("ascii")
    except UnicodeError:
        return address
