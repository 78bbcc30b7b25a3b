"""What a mail newly says, knowing what we sent, and the title that it gives to a ticket."""

from __future__ import annotations

from dataclasses import replace

from mailbot.desk.context import Case
from mailbot.mail.message import Reply
from mailbot.mail.redaction import without_tokens
from mailbot.mail.reply.reply_text import new_words
from mailbot.mail.subject import clean_subject
from mailbot.mail.untrusted_text import safe_title


def new_words_of(case: Case) -> Reply:
    """Return the new words of a mail; quotations of what we sent are recognised by comparison."""
    mail, work = case.incoming, case.context.work
    message = mail.message
    sent = work.sent_texts((*message.in_reply_to, *message.references[-5:]))
    if case.ticket is not None and not sent:
        sent = work.sent_to(case.ticket.id, message.from_addr)
    reply = mail.reply if mail.reply is not None and not sent else new_words(message, sent)
    # A signed address in what they quote is theirs alone: nobody who reads their words may get it.
    return replace(reply, text=without_tokens(reply.text))


def spoken(reply: Reply) -> str:
    """Return the text as its author's words; "" where there is nothing but quotation."""
    return "" if reply.nothing_new else reply.text


def title_of(subject: str, text: str, language: str) -> str:
    """Return the title of a new ticket: the mail's subject, or its first line where it has none."""
    first_line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return safe_title(clean_subject(subject) or clean_subject(first_line)[:80], language)
