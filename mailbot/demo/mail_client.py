"""The mail client of the demo's people: writes mail as Gmail in Indonesian does, including the quotation.

In: a `Draft`, and the recipients or the mail that it answers. Out: the raw mail with its envelope. The desk has to
parse it like real mail: multipart/alternative, "Pada … menulis:", `div.gmail_quote`, In-Reply-To and References (RFC
5322 §3.6.4), the Reply-To address (§3.6.2).
Never: sends (`simulation` does); composes mail of the desk.
"""

from __future__ import annotations

import html
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, getaddresses
from mimetypes import guess_type
from zoneinfo import ZoneInfo

from mailbot.demo.mails import DemoMail
from mailbot.demo.people import Person, is_desk
from mailbot.mail.message import Address

WIB = ZoneInfo("Asia/Jakarta")
# Long Message-IDs must not be folded into encoded words (a bug of the email package up to Python 3.13).
POLICY = SMTP.clone(max_line_length=998)
# Gmail breaks the line above a quotation at this width.
WIDTH = 78

_DAYS = ("Sen", "Sel", "Rab", "Kam", "Jum", "Sab", "Min")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des")
_QUOTE_STYLE = "margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex"


@dataclass(frozen=True, slots=True)
class File:
    """An attachment."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody has written."""

    writer: Person
    text: str
    at: datetime
    files: tuple[File, ...] = ()
    subject: str = ""  # of a reply: one other than "Re: …"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail that is ready to be sent, with its envelope."""

    raw: bytes
    sender: str  # "" for an automatic reply (RFC 3834 §3.3)
    recipients: tuple[str, ...]


def new_mail(draft: Draft, to: Iterable[str]) -> Outgoing:
    """Return a mail that answers nothing. `to`: addresses."""
    message = _message(draft, _unique(Address(email) for email in to))
    return _finished(message, draft, *_body(draft))


def reply_recipients(writer: Person, mail: DemoMail, everybody: bool) -> tuple[list[Address], list[Address]]:
    """Return (To, Cc) of a reply: to Reply-To, else From (RFC 5322 §3.6.3); to one's own mail: where that went."""
    message = mail.message
    to = list(message.to) if mail.sent else list(message.reply_to or message.from_[:1])
    if not everybody:
        return to, []
    others = list(message.cc) if mail.sent else [*message.to, *message.cc]
    # A reply to the desk goes to the signed address; a second copy to its plain one would be a second mail.
    desk_is_in = any(is_desk(address.email) for address in to)
    present = {writer.email, *(address.email for address in to)}
    cc = [address for address in others if address.email not in present and not (desk_is_in and is_desk(address.email))]
    return to, _unique(cc)


def reply(draft: Draft, mail: DemoMail, *, everybody: bool = False) -> Outgoing:
    """Return an answer with the mail quoted below it."""
    to, cc = reply_recipients(draft.writer, mail, everybody)
    subject = draft.subject or reply_subject(mail.message.subject)
    message = _message(replace(draft, subject=subject), to, cc)
    if mail.message.message_id:
        message["In-Reply-To"] = mail.message.message_id
        message["References"] = " ".join((*mail.message.references, mail.message.message_id))  # RFC 5322 §3.6.4
    plain, rich = _body(draft)
    attribution, quoted, quoted_html = _quotation(mail)
    above = html.escape(attribution.replace("\n", ""))
    rich = (
        f'{rich}<br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">'
        f'{above}<br></div><blockquote class="gmail_quote" style="{_QUOTE_STYLE}">'
        f"{quoted_html}</blockquote></div>"
    )
    return _finished(message, draft, f"{plain}\n\n{attribution}\n\n{quoted}", rich)


def out_of_office(draft: Draft, mail: DemoMail) -> Outgoing:
    """Return what a mail server answers while its user is away (RFC 3834)."""
    to, _ = reply_recipients(draft.writer, mail, everybody=False)
    message = _message(replace(draft, subject=f"Balasan otomatis: {mail.message.subject}"), to)
    message["Auto-Submitted"] = "auto-replied"  # RFC 3834 §5
    message["In-Reply-To"] = mail.message.message_id
    message["References"] = mail.message.message_id
    message.set_content(draft.text, cte="quoted-printable")
    return Outgoing(message.as_bytes(policy=POLICY), "", tuple(address.email for address in to))


def reply_subject(subject: str) -> str:
    """Return the subject with one `Re: ` in front."""
    return subject if subject.lower().startswith(("re:", "bls:")) else f"Re: {subject}"


def _message(draft: Draft, to: Sequence[Address], cc: Sequence[Address] = ()) -> EmailMessage:
    """Return a message with its header, but for the fields that refer to another mail."""
    message = EmailMessage(policy=POLICY)
    message["MIME-Version"] = "1.0"
    message["Date"] = format_datetime(draft.at.astimezone(WIB))
    message["Message-ID"] = f"<CA+{secrets.token_hex(16)}@mail.{draft.writer.email.partition('@')[2]}>"
    message["Subject"] = " ".join(draft.subject.split())
    message["From"] = draft.writer.mailbox
    message["To"] = ", ".join(formataddr((address.name, address.email)) for address in to)
    if cc:
        message["Cc"] = ", ".join(formataddr((address.name, address.email)) for address in cc)
    return message


def _finished(message: EmailMessage, draft: Draft, plain: str, rich: str) -> Outgoing:
    """Add body and files to the message."""
    message.set_content(plain, cte="quoted-printable")
    message.add_alternative(rich, subtype="html", cte="quoted-printable")
    for file in draft.files:
        kind, encoding = guess_type(file.name)
        main, _, sub = (kind if kind and not encoding else "application/octet-stream").partition("/")
        message.add_attachment(file.content, maintype=main, subtype=sub, filename=file.name)
    recipients = tuple(email for field in ("To", "Cc") for _, email in getaddresses(message.get_all(field, [])))
    return Outgoing(message.as_bytes(policy=POLICY), draft.writer.email, recipients)


def _body(draft: Draft) -> tuple[str, str]:
    """Return the text as plain text and as Gmail's HTML, each with the signature."""
    text = "\n".join(line.rstrip() for line in draft.text.strip("\n").splitlines())
    rich = f'<div dir="ltr">{_html_lines(text)}</div>'
    if not draft.writer.signature:
        return text, rich
    signature = (
        '<div><br></div><span class="gmail_signature_prefix">-- </span><br><div dir="ltr" class="gmail_signature">'
        f'<div dir="ltr">{_html_lines(draft.writer.signature)}</div></div>'
    )
    return f"{text}\n\n-- \n{draft.writer.signature}", f'<div dir="ltr">{_html_lines(text)}{signature}</div>'


def _quotation(mail: DemoMail) -> tuple[str, str, str]:
    """Return the line above the quotation, the quoted text, the quoted HTML."""
    message, local = mail.message, mail.at.astimezone(WIB)
    author = message.from_address
    when = f"{_DAYS[local.weekday()]}, {local.day} {_MONTHS[local.month - 1]} {local.year} pukul {local:%H.%M}"
    attribution = f"Pada {when} {author.name or author.email} <{author.email}> menulis:"
    if len(attribution) > WIDTH:
        attribution = attribution.replace("<", "<\n", 1)
    quoted = "\n".join(
        f">{line}" if line.startswith(">") else f"> {line}".rstrip() for line in message.text.splitlines()
    )
    return attribution, quoted, _inside_body(message.html) or _html_lines(message.text)


def _inside_body(document: str) -> str:
    """Return what is between <body> and </body>: a quotation is not a document of its own."""
    lower = document.lower()
    start = lower.find("<body")
    start = lower.find(">", start) + 1 if start >= 0 else 0
    end = lower.rfind("</body>")
    return document[start : end if end >= start else None].strip()


def _html_lines(text: str) -> str:
    return "<br>".join(html.escape(line) for line in text.splitlines())


def _unique(addresses: Iterable[Address]) -> list[Address]:
    return list({address.email: address for address in addresses}.values())
