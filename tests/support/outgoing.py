"""What every mail that leaves the desk must be, whatever came in: one inspection for all tests of the whole path."""

from __future__ import annotations

import email.policy
import re
from email import message_from_bytes
from email.message import EmailMessage

from selectolax.lexbor import LexborHTMLParser

from mailbot.mail.redaction import without_tokens
from mailbot.mail.reply_token import read_tokens
from tests.support.people import Sent

FIELDS = {
    "from", "to", "cc", "reply-to", "subject", "date", "message-id", "in-reply-to", "references", "thread-topic",
    "thread-index", "auto-submitted", "x-auto-response-suppress", "x-mailbot-ticket", "x-mailbot-kind",
    "x-mailbot-instance", "mime-version", "content-type",
}  # fmt: skip
TAGS = {
    "html", "head", "meta", "title", "style", "body", "table", "tbody", "tr", "td", "p", "br", "b", "a", "ul", "li",
    "ol", "div", "span", "h1", "h2", "hr", "blockquote", "pre", "strong", "em", "code", "i",
}  # fmt: skip
ATTRIBUTES = {
    "style", "class", "lang", "charset", "name", "content", "role", "width", "height", "cellpadding", "cellspacing",
    "border", "align", "valign", "bgcolor", "href", "dir", "color-scheme", "http-equiv", "xmlns",
}  # fmt: skip


def inspect(sent: Sent) -> EmailMessage:
    """Assert all that holds for every mail; the parsed mail."""
    raw = sent.raw
    assert raw.isascii()
    assert b"\0" not in raw
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw), "a bare CR or LF"
    assert max(map(len, raw.split(b"\r\n"))) <= 998  # RFC 5322 §2.1.1
    header = raw.split(b"\r\n\r\n", 1)[0]
    names = [line.partition(b":")[0].decode().lower() for line in header.split(b"\r\n") if line[:1] not in b" \t"]
    assert set(names) <= FIELDS, set(names) - FIELDS
    assert len(names) == len(set(names)), "a field twice"
    message: EmailMessage = message_from_bytes(raw, policy=email.policy.default)  # type: ignore[assignment]
    assert not message.defects
    assert [a.addr_spec for a in message["To"].addresses] == [sent.recipient]
    assert "\n" not in message["Subject"]
    assert "\r" not in message["Subject"]
    for part in message.walk():
        assert not part.defects, part.defects
        _name(part.get_filename())
    tokens = {str(token) for token in read_tokens(raw.decode()) if token.purpose in "rac"}
    tokens -= {str(token) for field in ("References", "In-Reply-To") for token in read_tokens(message[field] or "")}
    own = {str(token) for token in read_tokens(message["Reply-To"] or "")}
    assert tokens <= own, "somebody's token"
    text = message.get_body(("plain",))
    html = message.get_body(("html",))
    assert text is not None
    assert html is not None
    for body in (text.get_content(), html.get_content()):
        assert without_tokens(body) == body or sent.kind == "status" or "kunci=" in body, "a token in the words"
    harmless(html.get_content())
    return message


def _name(name: str | None) -> None:
    if name is None:
        return
    assert name.strip(" .") == name
    assert len(name.encode()) <= 255
    assert not re.search(r"[\x00-\x1f\x7f/\\\u202a-\u202e\u2066-\u2069]", name), repr(name)


def harmless(html: str) -> None:
    """No script, no form, no picture from elsewhere, no link but to the web or a mailbox."""
    for node in LexborHTMLParser(html).root.traverse():  # type: ignore[union-attr]
        assert node.tag in TAGS or node.tag.startswith("-") or node.tag == "!doctype", node.tag
        for attribute, value in (node.attributes or {}).items():
            assert attribute in ATTRIBUTES, attribute
            lower = (value or "").lower()
            assert "javascript:" not in lower
            assert "url(" not in lower
            if attribute == "href":
                assert lower.startswith(("https://", "http://", "mailto:"))
    assert "@import" not in html
