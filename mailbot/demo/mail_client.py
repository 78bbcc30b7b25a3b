"""The people's mail program: what it writes is shaped as Gmail in Indonesian shapes it, quotation and all.

In: who writes, what, to whom, in answer to which letter. Out: the raw mail and its recipients. The desk has to find its
way through this as through real mail: multipart/alternative, "Pada … menulis:", `div.gmail_quote`, In-Reply-To and
References (RFC 5322 §3.6.4), the Reply-To address (§3.6.2).
Never: sending; that is `world`'s. This is the other side of the correspondence: nothing of mailbot composes through it.
"""

from __future__ import annotations

import html
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from mimetypes import guess_type
from zoneinfo import ZoneInfo

from mailbot.demo.mails import DemoMail
from mailbot.demo.people import Person, is_desk
from mailbot.mail.message import Address

WIB = ZoneInfo("Asia/Jakarta")
# Long Message-IDs must not be folded into encoded words (a fault of the email package up to 3.13).
POLICY = SMTP.clone(max_line_length=998)
# Gmail breaks the line above a quotation at this width.
WIDTH = 78

_DAYS = ("Sen", "Sel", "Rab", "Kam", "Jum", "Sab", "Min")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des")
_QUOTE_STYLE = "margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex"


@dataclass(frozen=True, slots=True)
class File:
    """Something to attach."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail that is ready to be sent, and who gets it. `sender` is the envelope's: "" for a robot (RFC 3834 §3.3)."""

    raw: bytes
    sender: str
    recipients: tuple[str, ...]


def new_mail(
    writer: Person, to: Iterable[str], subject: str, text: str, at: datetime, files: Iterable[File] = ()
) -> Outgoing:
    """A mail that answers nothing. `to`: addresses."""
    return _finished(writer, _unique(Address(email) for email in to), (), subject, _body(writer, text), at, files)


def reply_recipients(writer: Person, letter: DemoMail, everybody: bool) -> tuple[list[Address], list[Address]]:
    """(To, Cc) of an answer: to Reply-To, else From (RFC 5322 §3.6.3); the own letter's answer goes where that went."""
    mail = letter.mail
    to = list(mail.to) if letter.sent else list(mail.reply_to or mail.from_[:1])
    if not everybody:
        return to, []
    others = [*mail.to, *mail.cc] if not letter.sent else list(mail.cc)
    # Whoever answers the desk reaches it by the signed address already; a second copy to it would be a second mail.
    desk_is_in = any(is_desk(address.email) for address in to)
    taken = {writer.email, *(address.email for address in to)}
    cc = [address for address in others if address.email not in taken and not (desk_is_in and is_desk(address.email))]
    return to, _unique(cc)


def reply(
    writer: Person,
    letter: DemoMail,
    text: str,
    at: datetime,
    files: Iterable[File] = (),
    *,
    everybody: bool = False,
    subject: str = "",
) -> Outgoing:
    """An answer with the letter quoted below it. `subject`: another one than "Re: …"."""
    to, cc = reply_recipients(writer, letter, everybody)
    plain, rich = _body(writer, text)
    attribution, quoted, quoted_html = _quotation(letter)
    plain = f"{plain}\n\n{attribution}\n\n{quoted}"
    above = html.escape(attribution.replace("\n", ""))
    rich = (
        f'{rich}<br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">'
        f'{above}<br></div><blockquote class="gmail_quote" style="{_QUOTE_STYLE}">'
        f"{quoted_html}</blockquote></div>"
    )
    return _finished(writer, to, cc, subject or reply_subject(letter.mail.subject), (plain, rich), at, files, letter)


def out_of_office(writer: Person, letter: DemoMail, text: str, at: datetime) -> Outgoing:
    """What a mail server answers by itself while its user is away (RFC 3834)."""
    to, _ = reply_recipients(writer, letter, everybody=False)
    message = _message(writer, to, (), f"Balasan otomatis: {letter.mail.subject}", at)
    message["Auto-Submitted"] = "auto-replied"  # RFC 3834 §5
    message["In-Reply-To"] = letter.mail.message_id
    message["References"] = letter.mail.message_id
    message.set_content(text, cte="quoted-printable")
    return Outgoing(message.as_bytes(policy=POLICY), "", tuple(address.email for address in to))


def reply_subject(subject: str) -> str:
    """`Re: ` in front, once."""
    return subject if subject.lower().startswith(("re:", "bls:")) else f"Re: {subject}"


def _finished(
    writer: Person,
    to: Iterable[Address],
    cc: Iterable[Address],
    subject: str,
    body: tuple[str, str],
    at: datetime,
    files: Iterable[File],
    answered: DemoMail | None = None,
) -> Outgoing:
    to, cc = list(to), list(cc)
    message = _message(writer, to, cc, subject, at)
    if answered is not None and answered.mail.message_id:
        message["In-Reply-To"] = answered.mail.message_id
        message["References"] = " ".join((*answered.mail.references, answered.mail.message_id))  # RFC 5322 §3.6.4
    message.set_content(body[0], cte="quoted-printable")
    message.add_alternative(body[1], subtype="html", cte="quoted-printable")
    for file in files:
        kind, encoding = guess_type(file.name)
        main, _, sub = (kind if kind and not encoding else "application/octet-stream").partition("/")
        message.add_attachment(file.content, maintype=main, subtype=sub, filename=file.name)
    recipients = tuple(address.email for address in (*to, *cc))
    return Outgoing(message.as_bytes(policy=POLICY), writer.email, recipients)


def _message(writer: Person, to: Iterable[Address], cc: Iterable[Address], subject: str, at: datetime) -> EmailMessage:
    message = EmailMessage(policy=POLICY)
    message["MIME-Version"] = "1.0"
    message["Date"] = format_datetime(at.astimezone(WIB))
    message["Message-ID"] = f"<CA+{secrets.token_hex(16)}@mail.{writer.email.partition('@')[2]}>"
    message["Subject"] = " ".join(subject.split())
    message["From"] = writer.mailbox
    message["To"] = ", ".join(formataddr((address.name, address.email)) for address in to)
    if cc := list(cc):
        message["Cc"] = ", ".join(formataddr((address.name, address.email)) for address in cc)
    return message


def _body(writer: Person, text: str) -> tuple[str, str]:
    """The written words as text and as Gmail's HTML, each with the signature."""
    text = "\n".join(line.rstrip() for line in text.strip("\n").splitlines())
    rich = f'<div dir="ltr">{_html_lines(text)}</div>'
    if not writer.signature:
        return text, rich
    signature = (
        '<div><br></div><span class="gmail_signature_prefix">-- </span><br><div dir="ltr" class="gmail_signature">'
        f'<div dir="ltr">{_html_lines(writer.signature)}</div></div>'
    )
    return f"{text}\n\n-- \n{writer.signature}", f'<div dir="ltr">{_html_lines(text)}{signature}</div>'


def _quotation(letter: DemoMail) -> tuple[str, str, str]:
    """The line above the quotation, the quoted text, the quoted HTML."""
    mail, local = letter.mail, letter.at.astimezone(WIB)
    author = mail.from_address
    when = f"{_DAYS[local.weekday()]}, {local.day} {_MONTHS[local.month - 1]} {local.year} pukul {local:%H.%M}"
    attribution = f"Pada {when} {author.name or author.email} <{author.email}> menulis:"
    if len(attribution) > WIDTH:
        attribution = attribution.replace("<", "<\n", 1)
    quoted = "\n".join(f">{line}" if line.startswith(">") else f"> {line}".rstrip() for line in mail.text.splitlines())
    return attribution, quoted, _inside_body(mail.html) or _html_lines(mail.text)


def _inside_body(document: str) -> str:
    """What stands between <body> and </body>: a quotation is no document of its own."""
    lower = document.lower()
    start = lower.find("<body")
    start = lower.find(">", start) + 1 if start >= 0 else 0
    end = lower.rfind("</body>")
    return document[start : end if end >= start else None].strip()


def _html_lines(text: str) -> str:
    return "<br>".join(html.escape(line) for line in text.splitlines())


def _unique(addresses: Iterable[Address]) -> list[Address]:
    return list({address.email: address for address in addresses}.values())
