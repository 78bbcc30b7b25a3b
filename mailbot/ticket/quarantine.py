"""Quarantine: a lead's commands in answer to its list, and why a mail is in it.

Commands (`lepas 3`, `hapus 1 2`). In: the new words of the lead's mail, the length of the list. Out: the command for
each number, or errors with their lines. Lines at the top of the mail are commands, with or without `#`; the block ends
at the first line that is none. Numbers may be written as `3`, `#3`, `1 2`, `1, 2`, `1-3`, `1 sampai 3`, `semua`. What
looks like a command and can't be read, or is further below, is an error: no command is lost silently.

Reasons. In: what the store knows of a quarantined mail. Out: a `QuarantineReason`, for the list, the help texts and the
figures. Never: a look at the quarantine itself.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailbot.vocabulary import commands as words


class QuarantineVerb(StrEnum):
    """What can be done with a quarantined mail."""

    RELEASE = "release"
    DISCARD = "discard"


class QuarantineFault(StrEnum):
    """Why nothing of a mail was carried out. The texts for the lead are in the template `agent/_quarantine`."""

    NO_COMMAND = "no_order"
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
    """One command."""

    verb: QuarantineVerb
    line: str
    line_number: int
    #: As written, with ranges expanded.
    numbers: tuple[int, ...] = ()
    #: All mails of the list.
    everything: bool = False


@dataclass(frozen=True, slots=True)
class QuarantineError:
    """A refused line, because of which nothing of its mail is carried out."""

    fault: QuarantineFault
    line: str = ""
    #: 0: the mail as a whole.
    line_number: int = 0
    found: str = ""


@dataclass(frozen=True, slots=True)
class QuarantineCommands:
    """A lead's mail, parsed."""

    commands: tuple[QuarantineCommand, ...] = ()
    errors: tuple[QuarantineError, ...] = ()


# Commands

_MAX_LINES = 300
_MAX_LINE = 500
_MAX_RANGE = 1000
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−", "-") | dict.fromkeys(",;[](){}*_\\", " "))
_RANGE = re.compile(
    rf"([0-9]{{1,6}})[ ]?(?:-|(?:{'|'.join(map(re.escape, words.THROUGH))})(?![^\W\d_]))[ ]?#?([0-9]{{1,6}})"
)
_NUMBER = re.compile(r"#?([0-9]{1,6})(?:-([0-9]{1,6}))?")


def parse_quarantine_commands(text: str) -> QuarantineCommands:
    """Parse the commands at the top of a lead's new words."""
    commands: list[QuarantineCommand] = []
    errors: list[QuarantineError] = []
    in_block = True
    for index, line in enumerate(text.split("\n")[:_MAX_LINES], 1):
        tokens = _tokens(line)
        if not tokens:
            continue
        in_block = in_block and _is_command(tokens)
        if in_block:
            _read_line(tokens, line.strip()[:_MAX_LINE], index, commands, errors)
        elif tokens[0].lstrip("#") in words.QUARANTINE_VERBS and len(tokens) > 1 and all(map(_is_operand, tokens[1:])):
            errors.append(QuarantineError(QuarantineFault.NOT_AT_TOP, line.strip()[:_MAX_LINE], index))
    if not commands and not errors:
        errors.append(QuarantineError(QuarantineFault.NO_COMMAND))
    return QuarantineCommands(tuple(commands), tuple(errors))


def resolve(
    commands: Sequence[QuarantineCommand], listed: int
) -> tuple[dict[int, QuarantineCommand], tuple[QuarantineError, ...]]:
    """Return the command for each number of a list of `listed` mails, ascending, and the errors."""
    resolved: dict[int, QuarantineCommand] = {}
    errors: list[QuarantineError] = []
    for command in commands:
        numbers = range(1, listed + 1) if command.everything else command.numbers
        unlisted = next((n for n in numbers if not 1 <= n <= listed), None)
        clash = next((n for n in numbers if n in resolved and resolved[n].verb is not command.verb), None)
        if unlisted is not None:
            errors.append(QuarantineError(QuarantineFault.NOT_LISTED, command.line, command.line_number, str(unlisted)))
        elif clash is not None:
            errors.append(QuarantineError(QuarantineFault.CONFLICT, command.line, command.line_number, str(clash)))
        for number in numbers if unlisted is None else ():
            # an explicit number takes precedence over "semua", so that its outcome is reported
            if number not in resolved or resolved[number].everything:
                resolved[number] = command
    return dict(sorted(resolved.items())), tuple(errors)


def _tokens(line: str) -> list[str]:
    """Split a normalised line: plain spaces, no invisible characters, ranges in one piece, lower case."""
    plain = unicodedata.normalize("NFKC", line[:_MAX_LINE]).translate(_DASHES).lower()
    plain = "".join(c for c in plain if unicodedata.category(c) != "Cf")
    plain = _RANGE.sub(r"\1-\2", " ".join(plain.split()).replace("# ", "#"))
    return [token for token in (t.strip(".:!") for t in plain.split()) if token]


def _is_command(tokens: Sequence[str]) -> bool:
    """Return whether this line is meant as a command, correct or not."""
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
    tokens: Sequence[str], line: str, at: int, commands: list[QuarantineCommand], errors: list[QuarantineError]
) -> None:
    """Read a line, which may have several commands: `lepas 3, hapus 1 2`."""
    before = len(commands)
    if tokens[0].lstrip("#") not in words.QUARANTINE_VERBS:
        errors.append(QuarantineError(QuarantineFault.UNKNOWN, line, at, tokens[0]))
        return
    numbers: list[int] = []
    everything = False
    verb = tokens[0].lstrip("#")
    for token in (*tokens[1:], ""):
        follows = token.lstrip("#") in words.QUARANTINE_VERBS
        if not token or follows:
            if not numbers and not everything:
                errors.append(QuarantineError(QuarantineFault.NO_NUMBER, line, at, verb))
            commands.append(
                QuarantineCommand(
                    QuarantineVerb(words.QUARANTINE_VERBS[verb]), line, at, tuple(dict.fromkeys(numbers)), everything
                )
            )
            verb, numbers, everything = token.lstrip("#"), [], False
        elif found := _NUMBER.fullmatch(token):
            first, last = int(found[1]), int(found[2] or found[1])
            if not 0 <= last - first <= _MAX_RANGE:
                errors.append(QuarantineError(QuarantineFault.BAD_NUMBER, line, at, token))
                break
            numbers += range(first, last + 1)
        elif token in words.ALL_OF_LIST:
            everything = True
        elif token not in words.QUARANTINE_FILLERS:
            errors.append(QuarantineError(QuarantineFault.BAD_NUMBER, line, at, token))
            break
    if errors:
        del commands[before:]  # with an error nothing of the mail is carried out


# Reasons


class QuarantineReason(StrEnum):
    """Why a mail is in quarantine. POISON, GAVE_UP, KILLED, VIRUS, SPAM and DMARC are also values of `Inbound.rule`."""

    POISON = "poison"  # our code raised an exception
    GAVE_UP = "gave-up"  # failed repeatedly, as if the machine were at fault, while other mail was processed
    KILLED = "killed"  # the process died whenever it handled this mail
    UNCONFIRMED = "unconfirmed"  # in an agent's name and not authenticated: they were asked to confirm
    TOO_LARGE = "too-large"  # larger than max_size: only the header was fetched
    VIRUS = "virus"  # the scanner found one
    SPAM = "spam"
    DMARC = "dmarc-fail"
    AUTOMATIC = "automatic"  # an automatic mail on no ticket
    BOUNCE = "bounce"  # a delivery report on no mail of ours
    NO_SENDER = "no-sender"  # no address to answer
    SPAM_TICKET = "spam-ticket"  # a reply to a ticket that was closed as spam
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class QuarantinedMail:
    """What decides on the reason; the values are those of the store."""

    state: str
    rule: str
    kind: str
    #: Only the header was fetched.
    partial: bool
    has_sender: bool
    on_ticket: bool


def quarantine_reason(mail: QuarantinedMail) -> QuarantineReason:
    """Return the reason of the first row that applies."""
    rows = (
        (mail.state == "held", QuarantineReason.UNCONFIRMED),
        (mail.rule in _BY_RULE, _BY_RULE.get(mail.rule, QuarantineReason.OTHER)),
        (mail.kind == "auto", QuarantineReason.AUTOMATIC),
        (mail.kind == "bounce", QuarantineReason.BOUNCE),
        (not mail.has_sender, QuarantineReason.NO_SENDER),
        (mail.partial, QuarantineReason.TOO_LARGE),
        (mail.on_ticket, QuarantineReason.SPAM_TICKET),
    )
    return next((reason for applies, reason in rows if applies), QuarantineReason.OTHER)


_BY_RULE = {
    reason.value: reason
    for reason in (
        QuarantineReason.POISON,
        QuarantineReason.GAVE_UP,
        QuarantineReason.KILLED,
        QuarantineReason.VIRUS,
        QuarantineReason.SPAM,
        QuarantineReason.DMARC,
    )
}
