"""A lead's answer to the list of the quarantine: `lepas 3`, `hapus 1 2`, read and checked against that list.

In: the new words of the mail, the length of the list. Out: `Orders`, then what becomes of which number, or errors that
name their line. Lines at the top of the mail are orders, with or without `#`; the block ends at the first line that is
none. Numbers in any of the ways that people write them: `3`, `#3`, `1 2`, `1, 2`, `1-3`, `1 sampai 3`, `semua`.
What looks like an order and can't be read, or stands further below, is an error: an order is never lost silently.
Never: a look at the quarantine itself.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailbot.vocabulary import commands as words


class Verb(StrEnum):
    """What can be done with a mail that is held."""

    RELEASE = "release"
    DISCARD = "discard"


class OrderFault(StrEnum):
    """Why nothing of a mail was done. The lead's words for each stand in `agent/_quarantine`."""

    NO_ORDER = "no_order"
    UNKNOWN = "unknown"
    NO_NUMBER = "no_number"
    BAD_NUMBER = "bad_number"
    NOT_LISTED = "not_listed"
    CONFLICT = "conflict"
    NOT_AT_TOP = "not_at_top"
    TOO_LARGE = "too_large"
    NOT_LEAD = "not_lead"
    OTHERS_LIST = "others_list"


@dataclass(frozen=True, slots=True)
class QuarantineCommand:
    """One order. `numbers` as written, ranges spelt out; `everything`: all that is listed."""

    verb: Verb
    line: str
    line_number: int
    numbers: tuple[int, ...] = ()
    everything: bool = False


@dataclass(frozen=True, slots=True)
class OrderError:
    """A line that can't be carried out, and so nothing of its mail. `line_number` 0: the mail as a whole."""

    fault: OrderFault
    line: str = ""
    line_number: int = 0
    found: str = ""


@dataclass(frozen=True, slots=True)
class Orders:
    """All orders of a mail in their order, and what can't be read."""

    orders: tuple[QuarantineCommand, ...] = ()
    errors: tuple[OrderError, ...] = ()


_MOST_LINES = 300
_LONGEST_LINE = 500
_LONGEST_RANGE = 1000
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−", "-") | dict.fromkeys(",;[](){}*_\\", " "))
_RANGE = re.compile(
    rf"([0-9]{{1,6}})[ ]?(?:-|(?:{'|'.join(map(re.escape, words.THROUGH))})(?![^\W\d_]))[ ]?#?([0-9]{{1,6}})"
)
_NUMBER = re.compile(r"#?([0-9]{1,6})(?:-([0-9]{1,6}))?")


def parse_orders(text: str) -> Orders:
    """Read the orders at the top of a lead's new words."""
    orders: list[QuarantineCommand] = []
    errors: list[OrderError] = []
    in_block = True
    for index, line in enumerate(text.split("\n")[:_MOST_LINES], 1):
        tokens = _tokens(line)
        if not tokens:
            continue
        in_block = in_block and _is_order(tokens)
        if in_block:
            _read_line(tokens, line.strip()[:_LONGEST_LINE], index, orders, errors)
        elif tokens[0].lstrip("#") in words.QUARANTINE_VERBS and len(tokens) > 1 and all(map(_is_operand, tokens[1:])):
            errors.append(OrderError(OrderFault.NOT_AT_TOP, line.strip()[:_LONGEST_LINE], index))
    if not orders and not errors:
        errors.append(OrderError(OrderFault.NO_ORDER))
    return Orders(tuple(orders), tuple(errors))


def settle(
    orders: Sequence[QuarantineCommand], listed: int
) -> tuple[dict[int, QuarantineCommand], tuple[OrderError, ...]]:
    """Which order each number of a list of `listed` mails gets, ascending, or the errors."""
    settled: dict[int, QuarantineCommand] = {}
    errors: list[OrderError] = []
    for order in orders:
        numbers = range(1, listed + 1) if order.everything else order.numbers
        strange = next((n for n in numbers if not 1 <= n <= listed), None)
        clash = next((n for n in numbers if n in settled and settled[n].verb is not order.verb), None)
        if strange is not None:
            errors.append(OrderError(OrderFault.NOT_LISTED, order.line, order.line_number, str(strange)))
        elif clash is not None:
            errors.append(OrderError(OrderFault.CONFLICT, order.line, order.line_number, str(clash)))
        for number in numbers if strange is None else ():
            # a number by name wins over the same one by "semua": what can't be done with it is said then
            if number not in settled or settled[number].everything:
                settled[number] = order
    return dict(sorted(settled.items())), tuple(errors)


def _tokens(line: str) -> list[str]:
    """A line as it was meant: plain spaces, no invisible signs, ranges in one piece, lower case."""
    plain = unicodedata.normalize("NFKC", line[:_LONGEST_LINE]).translate(_DASHES).lower()
    plain = "".join(c for c in plain if unicodedata.category(c) != "Cf")
    plain = _RANGE.sub(r"\1-\2", " ".join(plain.split()).replace("# ", "#"))
    return [token for token in (t.strip(".:!") for t in plain.split()) if token]


def _is_order(tokens: Sequence[str]) -> bool:
    """Is this line meant as one, rightly written or not?"""
    first = tokens[0].lstrip("#")
    if tokens[0].startswith("#") or first in words.QUARANTINE_VERBS:
        return True
    if len(tokens) == 1 or not all(map(_is_operand, tokens[1:])):
        return False
    return bool(_NUMBER.fullmatch(first)) or bool(
        difflib.get_close_matches(first, words.QUARANTINE_VERBS, n=1, cutoff=0.6)
    )


def _is_operand(token: str) -> bool:
    return bool(_NUMBER.fullmatch(token)) or token in words.ALL_OF_LIST or token in words.QUARANTINE_FILLERS


def _read_line(
    tokens: Sequence[str], line: str, at: int, orders: list[QuarantineCommand], errors: list[OrderError]
) -> None:
    """One line may hold several orders: `lepas 3, hapus 1 2`."""
    before = len(orders)
    if tokens[0].lstrip("#") not in words.QUARANTINE_VERBS:
        errors.append(OrderError(OrderFault.UNKNOWN, line, at, tokens[0]))
        return
    numbers: list[int] = []
    everything = False
    verb = tokens[0].lstrip("#")
    for token in (*tokens[1:], ""):
        follows = token.lstrip("#") in words.QUARANTINE_VERBS
        if not token or follows:
            if not numbers and not everything:
                errors.append(OrderError(OrderFault.NO_NUMBER, line, at, verb))
            orders.append(
                QuarantineCommand(
                    Verb(words.QUARANTINE_VERBS[verb]), line, at, tuple(dict.fromkeys(numbers)), everything
                )
            )
            verb, numbers, everything = token.lstrip("#"), [], False
        elif found := _NUMBER.fullmatch(token):
            first, last = int(found[1]), int(found[2] or found[1])
            if not 0 <= last - first <= _LONGEST_RANGE:
                errors.append(OrderError(OrderFault.BAD_NUMBER, line, at, token))
                break
            numbers += range(first, last + 1)
        elif token in words.ALL_OF_LIST:
            everything = True
        elif token not in words.QUARANTINE_FILLERS:
            errors.append(OrderError(OrderFault.BAD_NUMBER, line, at, token))
            break
    if errors:
        del orders[before:]  # nothing of the mail is done anyway


class QuarantineReason(StrEnum):
    """The values of POISON, GAVE_UP, KILLED, VIRUS, SPAM and DMARC stand in `Inbound.rule`."""

    POISON = "poison"  # our code raised an exception
    GAVE_UP = "gave-up"  # what looked like the machine's fault, again and again, while other mail got through
    KILLED = "killed"  # the process died whenever it had this mail in hand
    UNCONFIRMED = "unconfirmed"  # in an agent's name and not proven to be theirs: they were asked
    TOO_LARGE = "too-large"  # larger than max_size: only the header was fetched
    VIRUS = "virus"  # the scanner found one
    SPAM = "spam"
    DMARC = "dmarc-fail"
    AUTOMATIC = "automatic"  # a machine's, on no ticket
    BOUNCE = "bounce"  # a delivery report on no mail of ours
    NO_SENDER = "no-sender"  # nobody who could be answered
    SPAM_TICKET = "spam-ticket"  # a reply to a ticket that was closed as spam
    OTHER = "other"


def why_held(*, state: str, rule: str, kind: str, partial: bool, has_sender: bool, on_ticket: bool) -> QuarantineReason:
    """The first row that fits."""
    rows = (
        (state == "held", QuarantineReason.UNCONFIRMED),
        (rule in _BY_RULE, _BY_RULE.get(rule, QuarantineReason.OTHER)),
        (kind == "auto", QuarantineReason.AUTOMATIC),
        (kind == "bounce", QuarantineReason.BOUNCE),
        (not has_sender, QuarantineReason.NO_SENDER),
        (partial, QuarantineReason.TOO_LARGE),
        (on_ticket, QuarantineReason.SPAM_TICKET),
    )
    return next((why for fits, why in rows if fits), QuarantineReason.OTHER)


_BY_RULE = {
    why.value: why
    for why in (
        QuarantineReason.POISON,
        QuarantineReason.GAVE_UP,
        QuarantineReason.KILLED,
        QuarantineReason.VIRUS,
        QuarantineReason.SPAM,
        QuarantineReason.DMARC,
    )
}
