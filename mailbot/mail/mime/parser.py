"""A mail's bytes as an `InboundMessage`: total, bounded, never raises.

In: the raw bytes of one mail, as the server has them; any bytes at all. Out: every fact that mailbot uses, as a
frozen value, with `defects` for the admin. What can't be interpreted is kept as text.

Bounds for any input: linear time (under 1 s per MB) and memory (under 8 times the input + 50 MB). Beyond a limit the
rest is left out and a defect says so: 512 KB of header, 1,000 fields, 1,000 parts, 60 levels, 4 levels of nested
mails, 1,000 addresses and 100 references.

Who reads what: `tree` the structure, `header` fields and encoded words, `charset` all text, `address` mailboxes,
`trace` dates and Received with mail-parser as second opinion, `parts` body and files, `attachments` names and types.

Standards: RFC 5322, RFC 2045–2049, RFC 2183, RFC 2231, RFC 6532, RFC 6522.
Never: decides what the mail means (mail.classify) or which words are new (mail.reply).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from mailbot.mail.message import Address, Headers, Hop, InboundMessage, MultipartReport
from mailbot.mail.mime.address import parse_addresses
from mailbot.mail.mime.attachments import to_attachments
from mailbot.mail.mime.charset import clean, guess_text
from mailbot.mail.mime.header import Block
from mailbot.mail.mime.parts import Contents, read_contents
from mailbot.mail.mime.trace import MAX_HOPS, ask_mail_parser, parse_date, read_hop, standard_authors
from mailbot.mail.mime.tree import read_header, read_tree
from mailbot.vocabulary.mime import HIDDEN_RECIPIENT_FIELDS, SINGLE_FIELDS

MAX_NESTED_LEVELS = 4
MAX_NESTED_MAILS = 50
MAX_REFERENCES = 100
MAX_DEFECTS = 50
_MAX_ADDRESS_TEXT = 50_000  # of one field; a thousand addresses
_MAX_IDS_TEXT = 131_072

# RFC 5322 §3.6.4, but more lenient: anything between angle brackets, which some programs omit.
_BRACKETED = re.compile(r"<([^<>]{1,996})>")
_ID_DELIMITERS = re.compile(r"[\s<>,;()\"]+")
_WHITE = re.compile(r"\s+")
_SINGLE = frozenset(SINGLE_FIELDS)
_HIDDEN_RECIPIENTS = frozenset(HIDDEN_RECIPIENT_FIELDS)
# No server encodes words in these fields; what is encoded there came from the sender, so it is not decoded.
_VERBATIM = frozenset(("authentication-results",))
# Defects of a From field that make mail-parser worth asking.
_DOUBTFUL = frozenset(("bad-address", "ambiguous-address", "encoded-address", "duplicate-from"))


@dataclass(slots=True)
class _Budget:
    """What nested mails may still cost, over all levels."""

    levels: int
    mails: int
    size: int


def parse_message(raw: bytes | bytearray | memoryview) -> InboundMessage:
    """Parse a mail. Total: accepts any bytes and never raises."""
    budget = _Budget(MAX_NESTED_LEVELS, MAX_NESTED_MAILS, 3 * len(raw) + 1_000_000)
    try:
        return _parse(bytes(raw), budget)
    except Exception as fault:  # noqa: BLE001 - a bug here must not lose a mail: it is kept, with a defect
        return _unparsed(bytes(raw), fault)


def parse_header_only(raw: bytes | bytearray | memoryview) -> InboundMessage:
    """Parse a mail of which only the header was fetched; the body is empty. Total."""
    try:
        block, defects = read_header(bytes(raw))
        return replace(_from_header(block, defects), size=len(raw))
    except Exception as fault:  # noqa: BLE001 - as above
        return replace(_unparsed(bytes(raw), fault), text="")


def _unparsed(raw: bytes, fault: Exception) -> InboundMessage:
    return InboundMessage(
        text=clean(guess_text(raw[:1_000_000])), defects=(f"parser-fault:{type(fault).__name__}",), size=len(raw)
    )


def _parse(raw: bytes, budget: _Budget) -> InboundMessage:
    entity, defects = read_tree(raw)
    message = _from_header(entity.block, defects)
    contents = read_contents(entity)
    text, from_html = contents.text()
    html = contents.html()
    nested = _parse_nested(contents, budget)
    if not text and "too-deep" in message.defects:
        text = _flat_text(raw, entity.start)
    return replace(
        message,
        text=text,
        html=html,
        text_from_html=from_html,
        attachments=to_attachments(contents.files, html or text, [each.subject for each in nested]),
        nested=nested,
        report=_report(contents),
        security=tuple(contents.security),
        defects=_codes([*message.defects, *contents.defects]),
        size=len(raw),
    )


def _parse_nested(contents: Contents, budget: _Budget) -> tuple[InboundMessage, ...]:
    """Parse the nested mails as far as the budget allows."""
    found: list[InboundMessage] = []
    for raw in contents.nested:
        budget.mails -= 1
        budget.size -= len(raw)
        if budget.levels <= 0 or budget.mails < 0 or budget.size < 0:
            contents.defects.append("too-many-nested")
            break
        budget.levels -= 1
        found.append(_parse(raw, budget))
        budget.levels += 1
    return tuple(found)


def _report(contents: Contents) -> MultipartReport | None:
    if not contents.is_report:
        return None
    return MultipartReport(contents.report_type, "\n".join(contents.statuses), contents.returned)


def _flat_text(raw: bytes, start: int) -> str:
    """Return the text of a mail nested too deep to be read part by part, without boundaries and part headers."""
    lines = clean(guess_text(raw[start : start + 1_000_000])).split("\n")
    words = [line for line in lines if not line.startswith("--") and not line.lower().startswith("content-")]
    return "\n".join(words).strip()


def _from_header(block: Block, defects: list[str]) -> InboundMessage:
    authors, from_defects = _authors(block)
    hops, odd = _hops(block)
    date = parse_date(block.first("date"))
    defects = [*defects, *from_defects, *_duplicates(block)]
    if odd or not _DOUBTFUL.isdisjoint(defects):
        opinion = ask_mail_parser(block.fields)
        hops = opinion.hops[:MAX_HOPS] if odd and opinion.hops else hops
        defects += opinion.defects
        mine = {each.email for each in authors}
        others = [standard_authors(block.all("from"))]
        others += [set(opinion.authors)] if opinion.authors is not None else []
        if any(mine != each for each in others):
            defects.append("from-disagreement")
    if date is None and block.first("date"):
        defects.append("bad-date")
    references = _message_ids(" ".join(block.all("references")))
    if len(references) > MAX_REFERENCES:
        # RFC 5322 §3.6.4: the first begins the thread, the last are the nearest.
        references = references[:1] + references[1 - MAX_REFERENCES :]
        defects.append("too-many-references")
    senders = _addresses(block, "sender")
    to, cc = _addresses(block, "to"), _addresses(block, "cc")
    headers = Headers(tuple((each.name, each.value if each.key in _VERBATIM else each.text) for each in block.fields))
    return InboundMessage(
        headers=headers,
        message_id=next(iter(_message_ids(block.first("message-id"))), ""),
        in_reply_to=_message_ids(" ".join(block.all("in-reply-to")))[:MAX_REFERENCES],
        references=references,
        from_=authors,
        sender=senders[0] if senders else None,
        reply_to=_addresses(block, "reply-to"),
        to=to,
        cc=cc,
        recipients=_recipients(block, (*to, *cc)),
        return_path=_return_path(block),
        subject=headers.get("subject"),
        date=date,
        received=hops,
        defects=_codes(defects),
    )


def _authors(block: Block) -> tuple[tuple[Address, ...], list[str]]:
    fields = block.all("from")
    mailboxes: list[Address] = []
    defects: list[str] = []
    for value in fields[:10]:
        found, faults = parse_addresses(value[:_MAX_ADDRESS_TEXT])
        mailboxes += found
        defects += faults
    if len(fields) > 1:
        defects.append("duplicate-from")
    return tuple(dict.fromkeys(mailboxes)), defects


def _addresses(block: Block, key: str) -> tuple[Address, ...]:
    """Return the mailboxes of all fields of that name."""
    values = block.all(key)
    if not values:
        return ()
    return tuple(parse_addresses(", ".join(values)[:_MAX_ADDRESS_TEXT])[0])


def _recipients(block: Block, visible: Iterable[Address]) -> tuple[str, ...]:
    """Return the visible recipients (To, Cc), then those of other fields."""
    values = [each.value for each in block.fields if each.key in _HIDDEN_RECIPIENTS]
    found = parse_addresses(", ".join(values)[:_MAX_ADDRESS_TEXT])[0] if values else []
    return tuple(dict.fromkeys(each.email for each in (*visible, *found)))


def _return_path(block: Block) -> str | None:
    """Return the return path: "" for "<>", the null path of a bounce (RFC 5321 §4.4); None without the field."""
    values = block.all("return-path")
    if not values:
        return None
    found = parse_addresses(values[0][:1000])[0]
    return found[0].email if found else ""


def _hops(block: Block) -> tuple[tuple[Hop, ...], bool]:
    """Return (the trace, topmost first; whether mail-parser has to be asked about a field in it)."""
    found = [read_hop(value) for value in block.all("received")[:MAX_HOPS]]
    return tuple(hop or Hop() for hop in found), None in found


def _duplicates(block: Block) -> list[str]:
    seen: set[str] = set()
    twice: list[str] = []
    for each in block.fields:
        if each.key in _SINGLE:
            if each.key in seen:
                twice.append(f"duplicate-{each.key}")
            seen.add(each.key)
    return twice


def _message_ids(value: str) -> tuple[str, ...]:
    """Return Message-IDs with their angle brackets, in their order, each once."""
    value = value[-_MAX_IDS_TEXT:]
    found = _BRACKETED.findall(value)
    if not found:
        words = _ID_DELIMITERS.split(value)
        found = [word for word in words if 0 < word.find("@") < len(word) - 1]
        alone = "".join(words)
        found = found or ([alone] if alone in words else [])
    ids = (_WHITE.sub("", each) for each in found)
    return tuple(dict.fromkeys(f"<{each}>" for each in ids if each))


def _codes(defects: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(defects))[:MAX_DEFECTS]
