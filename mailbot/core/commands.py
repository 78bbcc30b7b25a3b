"""The `#…` lines at the top of an agent's mail, as typed commands or as errors that name their line.

In: the new words of an agent's mail. Out: `Commands`. Never: a look at the desk; whether a command is possible for the
ticket at hand is decided in `core.lifecycle`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verb(StrEnum):
    """What an agent can order by mail (contract.md, "What an agent writes")."""

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
    """One command. `line` is what the agent typed, `line_number` counts from 1 at the top of the mail.

    `email` (ASSIGN, REQUESTER; lower case), `number` and `force` (MERGE), `value` (PRIORITY: low|normal|high|urgent;
    PROGRAM, MACRO: the name), `values` (TAG) are set where the verb takes them.
    """

    verb: Verb
    line: str
    line_number: int
    email: str = ""
    number: int = 0
    force: bool = False
    value: str = ""
    values: tuple[str, ...] = ()


class Fault(StrEnum):
    """Why a command can't be carried out. The agent's words for each stand in the template `agent/error`."""

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


@dataclass(frozen=True, slots=True)
class CommandError:
    """A line that can't be carried out: which one, why, what stood there, and what is possible instead."""

    fault: Fault
    line: str
    line_number: int
    found: str = ""
    possible: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Commands:
    """An agent's mail, taken apart: the commands in their order, the errors, and the words that are left."""

    commands: tuple[Command, ...] = ()
    errors: tuple[CommandError, ...] = ()
    words: str = ""

    def first(self, verb: Verb) -> Command | None:
        """The first command of that verb, if there is one."""
        return next((command for command in self.commands if command.verb is verb), None)
