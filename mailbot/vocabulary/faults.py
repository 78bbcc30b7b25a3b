"""Why a command of an agent was refused, for somebody at a shell (English; the mail to an agent has its template).

Keys: codes of `core.commands.Fault`. `{found}` is what stood there, `{possible}` what would have been possible.
"""

FAULTS = {
    "unknown": "{found} is no command. Possible: {possible}",
    "missing_argument": "{found} needs something behind it. Possible: {possible}",
    "bad_argument": "{found} can't be used here. Possible: {possible}",
    "surplus_argument": "{found} takes nothing (more) behind it.",
    "conflict": "{found} contradicts another command of the same mail.",
    "needs_ticket": "{found} needs a ticket.",
    "needs_words": "There is nothing to write: the text is empty.",
    "no_such_agent": "{found} is no agent of this desk. Agents are: {possible}",
    "no_such_ticket": "There is no ticket #{found}.",
    "same_ticket": "#{found} is the same ticket, or already leads here.",
    "other_requester": "#{found} is another requester's ticket. If you are sure: {possible}",
    "already_closed": "The ticket is closed and never reopened. A reply of the requester opens a follow-up.",
    "already_merged": "The ticket was merged already: #{found}. {possible}",
    "no_such_macro": "There is no macro {found}.",
    "refused_file": "{found} is of a kind that the desk does not pass on.",
    "infected_file": "A virus was found in {found}.",
    "unscanned_file": "{found} can't be looked through for viruses now.",
    "own_mail": "{found} is a notification of the desk, which only agents may see.",
    "two_tickets": "The mail names two tickets: {found} and {possible}.",
}
