r"""Parser of the `#…` lines at the top of an agent's mail.

In: the new words of an agent's mail. Out: `Commands`, with an error for each line that can't be read. Never: a look at
the desk; `agent_commands` decides whether a command is possible for the ticket.

The block ends at the first line that is neither blank nor begins with `#` (docs/developer/rules.md). Every line in it
is a command: what can't be read is an error, never lost and never sent to the requester. What mail clients do to a line
is undone first: no-break and zero-width spaces, `＃`, `*#selesai*` and `\#selesai` of Markdown, a full stop at the end,
addresses as `mailto:` links. Several commands may share a line (`#selesai #ambil`).

Contradictions are errors on the later line: two different ends (`#selesai`, `#tunggu`, `#proses`, `#spam`, `#gabung`),
`#ambil` with `#oper`, and one verb twice with different arguments. `#catatan` goes with all: it keeps the words inside,
so `#catatan` and `#selesai` close the ticket without them. The same command twice counts once; the tags of several
`#tag` are joined.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from mailbot.vocabulary import commands as vocabulary
from mailbot.vocabulary.commands import PRIORITY_VALUES


class Verb(StrEnum):
    """The commands that an agent can give by mail (docs/developer/rules.md)."""

    SOLVE = "solve"
    WAIT = "wait"
    PROCEED = "proceed"
    NOTE = "note"
    TAKE = "take"
    ASSIGN = "assign"
    MERGE = "merge"
    PRIORITY = "priority"
    TAG = "tag"
    REQUESTER = "requester"
    SPAM = "spam"
    MACRO = "macro"
    PROGRAM = "program"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Command:
    """One command, with the arguments that its verb takes."""

    verb: Verb
    #: As typed.
    line: str
    #: From 1 at the top of the mail.
    line_number: int
    #: ASSIGN, REQUESTER: lower case.
    email: str = ""
    #: MERGE: the ticket that this one is merged into.
    number: int = 0
    #: MERGE: also if the requesters differ.
    force: bool = False
    #: PRIORITY: low, normal, high or urgent; PROGRAM, MACRO: the name.
    value: str = ""
    #: TAG.
    values: tuple[str, ...] = ()


class Fault(StrEnum):
    """Why a command was refused. The texts for the agent are in the template `agent/error`."""

    UNKNOWN = "unknown"
    MISSING_ARGUMENT = "missing_argument"
    BAD_ARGUMENT = "bad_argument"
    SURPLUS_ARGUMENT = "surplus_argument"
    CONFLICT = "conflict"
    NEEDS_TICKET = "needs_ticket"
    NEEDS_WORDS = "needs_words"
    NO_SUCH_AGENT = "no_such_agent"
    NO_SUCH_TICKET = "no_such_ticket"
    SAME_TICKET = "same_ticket"
    OTHER_REQUESTER = "other_requester"
    ALREADY_CLOSED = "already_closed"
    ALREADY_MERGED = "already_merged"
    NO_SUCH_MACRO = "no_such_macro"
    TWO_TICKETS = "two_tickets"
    REFUSED_FILE = "refused_file"
    INFECTED_FILE = "infected_file"
    UNSCANNED_FILE = "unscanned_file"
    OWN_MAIL = "own_mail"


@dataclass(frozen=True, slots=True)
class CommandError:
    """A refused line."""

    fault: Fault
    line: str
    line_number: int
    #: The offending part of the line.
    found: str = ""
    #: Valid choices.
    possible: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Commands:
    """An agent's mail, parsed."""

    commands: tuple[Command, ...] = ()
    errors: tuple[CommandError, ...] = ()
    #: What follows the commands, with the text of `#catatan` first.
    words: str = ""


def parse_commands(words: str) -> Commands:
    """Parse the block of commands at the top of an agent's new words.

    `words` of the result is what follows the block, without the blank lines around it; for `#catatan` the words on
    its own line come first. Errors are in the order of their lines.
    """
    block = _Block()
    lines = words.split("\n")
    for index, line in enumerate(lines):
        plain = _plain(line)
        if plain and not plain.startswith("#"):
            break
        if plain:
            _read_line(plain, line.strip(), index + 1, block)
    else:
        index = len(lines)
    rest = "\n".join((*block.note, *lines[index:]))
    conflicts = _conflicts(block.commands)
    errors = tuple(sorted((*block.errors, *conflicts), key=lambda error: error.line_number))
    return Commands(tuple(_joined(block.commands)), errors, rest.strip("\n \t\r\xa0\ufeff"))


# One line


class _Block:
    """The block of commands as far as it is read."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.errors: list[CommandError] = []
        #: Words on the line of `#catatan`.
        self.note: list[str] = []


_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_VERB = re.compile(r"#+[ ]?([^\s#:=]*)[ ]*[:=]?[ ]*(.*)")
_NEXT_COMMAND = re.compile(r"(?:^|[ ])#(?=[^\W\d_])")
_EMAIL = re.compile(r"[^\s@<>()\[\]\"',;:]{1,64}@[^\s@<>()\[\]\"',;:]{1,255}")
_AROUND_EMAIL = re.compile(r"mailto:|\?subject=\S*|[<>()\[\]\"',;]", re.IGNORECASE)
_DOMAIN = re.compile(r"(?:[\w-]{1,63}\.)+[^\W\d_][\w-]{1,62}")
_NUMBER = re.compile(r"#?[ ]?([1-9][0-9]{0,8})")
_MAX_LINE = 500


def _plain(line: str) -> str:
    """Return the line without what mail clients did to it, with single spaces."""
    line = " ".join(_INVISIBLE.sub("", line[:_MAX_LINE]).split())
    if not line.isascii():
        line = unicodedata.normalize("NFKC", line)  # ＃, full-width digits
    marked = line.lstrip("*_\\")  # bold of the text part, or an escaped Markdown heading
    return marked.rstrip("*_") if marked.startswith("#") and marked != line else line


def _read_line(plain: str, line: str, line_number: int, block: _Block) -> None:
    found = _VERB.match(plain)
    assert found is not None  # a plain line of the block begins with "#"
    word, argument = found.group(1).lower().rstrip(".,;!"), found.group(2)
    verb = vocabulary.VERBS.get(word)
    if verb is None:
        nearest = difflib.get_close_matches(word, vocabulary.SUGGESTED, n=3, cutoff=0.6)
        possible = tuple(f"#{w}" for w in nearest or vocabulary.SUGGESTED)
        block.errors.append(CommandError(Fault.UNKNOWN, line, line_number, f"#{word}", possible))
        return
    command = Command(Verb(verb), line, line_number)
    if command.verb is Verb.NOTE:
        block.commands.append(command)
        if argument:
            block.note.append(argument)
        return
    following = ""
    if command.verb not in _TAKES_REST and (then := _NEXT_COMMAND.search(argument)):
        argument, following = argument[: then.start()], argument[then.start() :].strip()
    result = _ARGUMENTS[command.verb](command, argument.strip())
    if isinstance(result, CommandError):
        block.errors.append(result)
    else:
        block.commands.append(result)
    if following:
        _read_line(following, line, line_number, block)


def _fault(command: Command, fault: Fault, found: str = "", possible: tuple[str, ...] = ()) -> CommandError:
    return CommandError(fault, command.line, command.line_number, found, possible)


def _nothing(command: Command, argument: str) -> Command | CommandError:
    rest = argument.strip(".,;! ")
    return _fault(command, Fault.SURPLUS_ARGUMENT, rest) if rest else command


def _anything(command: Command, argument: str) -> Command | CommandError:
    return command  # "#bantuan gabung" is a plain help


def _email(command: Command, argument: str) -> Command | CommandError:
    """Parse `budi@x.id`, `<budi@x.id>`, `Budi <budi@x.id>`, `mailto:budi@x.id`, `budi@x.id<mailto:budi@x.id>`."""
    if not argument:
        return _fault(command, Fault.MISSING_ARGUMENT)
    spaced = _AROUND_EMAIL.sub(" ", argument)
    found = list(_EMAIL.finditer(spaced))
    emails = list(dict.fromkeys(m.group().strip(".").lower() for m in found))
    if not emails or not _DOMAIN.fullmatch(emails[0].partition("@")[2]):
        return _fault(command, Fault.BAD_ARGUMENT, argument)
    if len(emails) > 1:
        return _fault(command, Fault.SURPLUS_ARGUMENT, emails[1])
    name = [w for w in spaced[: found[0].start()].split() if w.lower() not in vocabulary.FILLERS]
    if "<" in argument or "[" in argument:
        name = []  # a display name before the address in brackets
    surplus = " ".join((*name, spaced[found[-1].end() :].strip(". "))).strip()
    return _fault(command, Fault.SURPLUS_ARGUMENT, surplus) if surplus else replace(command, email=emails[0])


def _merge(command: Command, argument: str) -> Command | CommandError:
    """Parse `12001`, `#12001`, `ke tiket #12001`, `12001 paksa`."""
    argument = re.sub(r"#[ ]", "#", argument)
    parts = [w.strip(".,;!") for w in argument.split() if w.lower() not in vocabulary.FILLERS]
    force = any(w.lower() in vocabulary.FORCE for w in parts)
    parts = [w for w in parts if w and w.lower() not in vocabulary.FORCE]
    if not parts:
        return _fault(command, Fault.MISSING_ARGUMENT)
    number = _NUMBER.fullmatch(parts[0])
    if number is None:
        return _fault(command, Fault.BAD_ARGUMENT, parts[0])
    if len(parts) > 1:
        return _fault(command, Fault.SURPLUS_ARGUMENT, " ".join(parts[1:]))
    return replace(command, number=int(number.group(1)), force=force)


def _priority(command: Command, argument: str) -> Command | CommandError:
    parts = argument.lower().strip(".,;!").split()
    if not parts:
        return _fault(command, Fault.MISSING_ARGUMENT, possible=tuple(PRIORITY_VALUES))
    value = PRIORITY_VALUES.get(parts[0])
    if value is None:
        nearest = difflib.get_close_matches(parts[0], PRIORITY_VALUES, n=2, cutoff=0.6)
        return _fault(command, Fault.BAD_ARGUMENT, parts[0], tuple(nearest or PRIORITY_VALUES))
    if len(parts) > 1:
        return _fault(command, Fault.SURPLUS_ARGUMENT, " ".join(parts[1:]))
    return replace(command, value=value)


def _tags(command: Command, argument: str) -> Command | CommandError:
    values = tuple(dict.fromkeys(w.strip("#.;!").lower() for w in argument.replace(",", " ").split()))
    values = tuple(value for value in values if value)
    return replace(command, values=values) if values else _fault(command, Fault.MISSING_ARGUMENT)


def _name(command: Command, argument: str) -> Command | CommandError:
    value = argument.strip("\"'“”<> ")
    return replace(command, value=value) if value else _fault(command, Fault.MISSING_ARGUMENT)


_ARGUMENTS: dict[Verb, Callable[[Command, str], Command | CommandError]] = {
    Verb.SOLVE: _nothing,
    Verb.WAIT: _nothing,
    Verb.PROCEED: _nothing,
    Verb.TAKE: _nothing,
    Verb.SPAM: _nothing,
    Verb.HELP: _anything,
    Verb.ASSIGN: _email,
    Verb.REQUESTER: _email,
    Verb.MERGE: _merge,
    Verb.PRIORITY: _priority,
    Verb.TAG: _tags,
    Verb.MACRO: _name,
    Verb.PROGRAM: _name,
}
# They take the rest of the line, with any "#" in it ("#tag #bku #arkas").
_TAKES_REST = frozenset({Verb.TAG, Verb.MACRO, Verb.PROGRAM})


# All lines together

_ENDS = frozenset({Verb.SOLVE, Verb.WAIT, Verb.PROCEED, Verb.SPAM, Verb.MERGE})
_OWNERS = frozenset({Verb.TAKE, Verb.ASSIGN})


def _conflicts(commands: list[Command]) -> list[CommandError]:
    """Return an error for each command that contradicts an earlier one; `found` is the earlier line."""
    errors = []
    for index, later in enumerate(commands):
        earlier = next((c for c in commands[:index] if _contradict(c, later)), None)
        if earlier is not None:
            errors.append(_fault(later, Fault.CONFLICT, earlier.line))
    return errors


def _contradict(one: Command, other: Command) -> bool:
    if one.verb is other.verb:
        return other.verb is not Verb.TAG and _argument(one) != _argument(other)
    return any(one.verb in group and other.verb in group for group in (_ENDS, _OWNERS))


def _argument(command: Command) -> tuple[object, ...]:
    return (command.email, command.number, command.force, command.value, command.values)


def _joined(commands: list[Command]) -> list[Command]:
    """Return each command once, with all tags in the first `#tag`."""
    tags = tuple(dict.fromkeys(v for c in commands if c.verb is Verb.TAG for v in c.values))
    joined: dict[tuple[object, ...], Command] = {}
    for command in commands:
        once = replace(command, values=tags) if command.verb is Verb.TAG else command
        joined.setdefault((once.verb, *_argument(once)), once)
    return list(joined.values())
