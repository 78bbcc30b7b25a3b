"""SMTP out: the door. Hands one composed mail to the mail server and says what became of it.

In: an envelope and the bytes of a mail. Out: `Accepted`, `Deferred` (the same mail may pass later) or `Rejected` (it
never will). Standards: RFC 5321, RFC 6409 (submission), RFC 2920 (pipelining), RFC 6152 (8BITMIME), RFC 6531
(SMTPUTF8), RFC 1870 (SIZE). How the connection comes about is in mailbot/transport/smtp/session.py.

One connection stays open over many mails. Where the server knows PIPELINING, envelope and DATA travel in one packet.
The verdict of a mail hangs on the reply to its last dot alone: what happens afterwards changes nothing. A connection
that turned out to be dead before the mail's content went out is opened anew, once; after that the mail is Deferred,
also where the reply to the dot was lost: then it may arrive twice (RFC 5321 §6.1), with the same Message-ID, but
never not at all.
Never: an exception out of `send`; a change to the mail, except its line ends; a thread of its own.
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
from mailbot.transport.smtp.session import NotReady, Session, cause_of, open_session, place, reply_text
from mailbot.transport.tls import certificate_ends, explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from mailbot.config.model import SmtpSettings


# Servers close silent connections after some minutes (RFC 5321 §4.5.3.2.7: five); we are earlier than they.
REUSE_WITHIN = 100.0
# A link slower than this, bytes a second, counts as broken.
SLOWEST = 16 * 1024
# The reply to the last dot may take so many times as long as that to a command. RFC 5321 §4.5.3.2.6 wants ten minutes;
# these are four by default, so that a watchdog of five minutes does not kill what waits here, which is worse.
PATIENCE_AFTER_DOT = 4
# Content goes out in pieces of this size, so that `active_at` moves on.
PIECE = 256 * 1024

_LINE_END = re.compile(rb"\r\n|\r|\n")
_NO_ADDRESS = re.compile(r"[\x00-\x20\x7f-\x9f<>]")


@dataclass(frozen=True)
class Accepted:
    """The server took responsibility for the mail. `response`: its words."""

    response: str


@dataclass(frozen=True)
class Deferred:
    """Not now. `code`: the server's, 0 where there was none; `text`: its words, or what was found and the mend.

    `server_gone`: not this mail but the server or the connection is the matter; the next mail fares no better now.
    `credentials`: and that because it refuses the password or the token. `tried` False: it did not come to this mail
    at all (no connection, no log-in), which has no part in the fault.
    """

    code: int
    text: str
    server_gone: bool
    credentials: bool = False
    tried: bool = True


@dataclass(frozen=True)
class Rejected:
    """Never. `code` and `text`: the server's."""

    code: int
    text: str


SubmissionResult = Accepted | Deferred | Rejected


class Reply(NamedTuple):
    """One reply of the server (RFC 5321 §4.2)."""

    code: int
    text: str


class Verdict(NamedTuple):
    """A row of `VERDICTS`: for replies between two codes, what they mean for the mail and for the connection.

    `tried`: as in `Deferred`.
    """

    lowest: int
    highest: int
    permanent: bool
    ends_connection: bool
    server_gone: bool
    mend: str
    tried: bool = True


# What a refusal means; the first row that holds the code counts. RFC 5321 §4.2.1 has the classes, the codes are from
# RFC 5321 §4.2.3 and RFC 4954 §6.
VERDICTS: tuple[Verdict, ...] = (
    # The server shuts the connection down, for whatever reason.
    Verdict(421, 421, False, True, True, ""),
    # Everything else of class 4 is about this mail, this recipient, this moment.
    Verdict(400, 499, False, False, False, ""),
    # "Bad sequence" and "not implemented": server and client are out of step; a new connection may be better.
    Verdict(502, 503, False, True, False, ""),
    # It wants a log-in, another one, or encryption first: the configuration's fault, so no mail may die of it.
    Verdict(530, 530, False, True, True, "Set smtp.username and smtp.password, and smtp.security.", False),
    Verdict(534, 535, False, True, True, "Check smtp.username and smtp.password.", False),
    Verdict(538, 538, False, True, True, 'Set smtp.security to "starttls" or "tls".', False),
    # Everything else of class 5 is final for this mail.
    Verdict(500, 599, True, False, False, ""),
    # No refusal, and not what had to come: nonsense. What it is about is unknown, hence temporary.
    Verdict(-99, 999, False, True, False, "The server's reply makes no sense here."),
)


class Submission:
    """The way out through one SMTP server. `timeout`: seconds that a reply to a command may take."""

    def __init__(self, settings: SmtpSettings, *, timeout: float = 60.0) -> None:
        self._settings = settings
        self._timeout = timeout
        self._tokens = TokenSource.of(settings, "smtp")
        self._session: Session | None = None
        self.active_at = 0.0
        """When the server last took or said something (time.monotonic); a long transfer moves it on."""
        self.certificate_ends: datetime | None = None
        """When the server's certificate ends, as seen at the last connection."""

    def send(self, envelope_from: str, recipient: str, raw: bytes | Outgoing) -> SubmissionResult:
        """Submit one mail to one recipient. `envelope_from` "" is the null reverse-path (RFC 5321 §4.5.5).

        `raw` as bytes may have any line ends; an `Outgoing` is ours, with CRLF at the end of each line.
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
                continue  # the server had closed it in the meantime, and nothing of this mail has left us
            if refusal is None and session.unasked():
                refusal = Reply(-1, "it said more than it was asked for")  # the reply to the dot could be an older one
            if refusal is None:
                return self._hand_over(session, content)
            if reused and refusal.code == 421:
                self._drop()  # the same, said politely
                continue
            outcome = self._judge(refusal)
            if self._session is not None:
                self._withdraw(self._session, waits_for_content)
            return outcome

    def check(self) -> str:
        """Connect, log in, say NOOP. One line about the server; TemporaryError or PermanentError with the mend."""
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
            raise TemporaryError(f"{place(self._settings)}: NOOP was answered with {code} {reply_text(words)}.")
        return f"{place(self._settings)}: {session.description}"

    def close(self) -> None:
        """Say QUIT and close, if there is a connection."""
        session, self._session = self._session, None
        if session is not None:
            session.quit()

    def interrupt(self) -> None:
        """From another thread: end what `send` waits for; it returns Deferred at once."""
        session = self._session
        if session is not None:
            session.interrupt()

    def _reusable(self) -> bool:
        """Whether the open connection looks alive: used lately, and the server has not spoken unasked."""
        session = self._session
        return session is not None and time.monotonic() - self.active_at < REUSE_WITHIN and not session.unasked()

    def _ready(self) -> Session:
        """An open session. Raises NotReady."""
        if self._session is not None and not self._reusable():
            self.close()
        if self._session is None:
            self._session = open_session(self._settings, self._tokens, self._timeout)
            self.certificate_ends = certificate_ends(self._session.smtp.sock)
        self._session.be_patient(self._timeout)
        self.active_at = time.monotonic()
        return self._session

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.smtp.close()

    def _offer(self, session: Session, envelope: Sequence[str]) -> tuple[Reply | None, bool]:
        """MAIL, RCPT and DATA: the first refusal, if there is one; and whether the server waits for the content."""
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

    def _withdraw(self, session: Session, waits_for_content: bool) -> None:
        """Bring the session back to where a new mail can start. The verdict stands already: a failure only ends it."""
        try:
            if waits_for_content:
                # RFC 2920 §3.1: the server said 354 although it has no recipient; an empty mail lets it say no.
                session.smtp.send(b".\r\n")
                self._reply(session)
            code, _words = session.smtp.docmd("RSET")
        except (smtplib.SMTPException, OSError):
            code = -1
        if code != 250:
            self._drop()

    def _hand_over(self, session: Session, content: Outgoing) -> SubmissionResult:
        """The content and the last dot. From here on a lost connection leaves the outcome unknown."""
        try:
            session.be_patient(self._timeout + PIECE / SLOWEST)
            for piece in dotted(content.pieces()):
                view = memoryview(piece)
                for start in range(0, len(view), PIECE):
                    session.smtp.send(view[start : start + PIECE])
                    self.active_at = time.monotonic()
            session.be_patient(self._timeout * PATIENCE_AFTER_DOT)
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
        """What a refusal means, by `VERDICTS`."""
        row = next(row for row in VERDICTS if row.lowest <= reply.code <= row.highest)
        if row.ends_connection:
            self._drop()
        text = f"{reply.text.rstrip('.')}. {row.mend}" if row.mend else reply.text
        if row.permanent:
            return Rejected(reply.code, text)
        return Deferred(reply.code, text, row.server_gone, tried=row.tried)

    def _lost(self, error: Exception, when: str) -> Deferred:
        return Deferred(0, f"{place(self._settings)}: {when}: {explain(cause_of(error), 'smtp')}", server_gone=True)


def line_ends(raw: bytes) -> bytes:
    """`raw` with CRLF at the end of each line and at its own end (RFC 5321 §2.3.8: no bare CR or LF)."""
    breaks = raw.count(b"\n")
    if not breaks == raw.count(b"\r\n") == raw.count(b"\r"):
        raw = _LINE_END.sub(b"\r\n", raw)
    return raw if raw.endswith(b"\r\n") else raw + b"\r\n"


def dotted(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces of a mail with a dot before each line that begins with one (RFC 5321 §4.5.2).

    Behind the last stands the line that ends it, in one piece with it: a small mail goes out in one packet.
    """
    held = b""
    begins_a_line = True
    for piece in pieces:
        if held:
            yield held
        held = piece.replace(b"\n.", b"\n..")
        if begins_a_line and piece.startswith(b"."):
            held = b"." + held
        begins_a_line = piece.endswith(b"\n")
    yield held + b".\r\n"


def _goes_on(line: str, reply: Reply) -> bool:
    """Whether `reply` is what the command in `line` hopes for."""
    return reply.code == 354 if line == "DATA" else 200 <= reply.code <= 299


def _envelope(session: Session, sender: str, recipient: str, content: Outgoing) -> list[str] | Rejected:
    """The three commands before the content, with the parameters that this mail needs and this server knows."""
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
    """The domain as A-labels (RFC 5890), so that only a foreign local part needs SMTPUTF8."""
    local, at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return local + at + domain.encode("idna").decode("ascii")
    except UnicodeError:
        return address
