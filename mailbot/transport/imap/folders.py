"""Folder names as the server wants them, and the creation of folders.

In: the names of the configuration, written with "/" as separator. Out: the server's names, created and subscribed.
Standards: RFC 3501 §6.3 and §5.1.3 (modified UTF-7, done by imapclient), RFC 2342 (NAMESPACE), RFC 5530 (codes).

"Mailbot/Processed" becomes "INBOX.Mailbot.Processed" if the server's separator is "." and its personal namespace begins
with "INBOX."; a name that exists as written is used as written.
Never: creates the folder that mail is read from; deletes or renames anything.
"""

from __future__ import annotations

import difflib
import imaplib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailbot.errors import MailboxUnavailable
from mailbot.transport.imap.connection import Client
from mailbot.transport.imap.login import server_name, server_words

if TYPE_CHECKING:
    from mailbot.config.model import ImapSettings

log = logging.getLogger(__name__)

# Flags of names that LIST returns, but SELECT would refuse (RFC 3501 §7.2.2, RFC 5258 §3).
UNSELECTABLE = frozenset({b"\\noselect", b"\\nonexistent"})


@dataclass(frozen=True, slots=True)
class Naming:
    """How the server composes folder names."""

    separator: str  #: "" if it has no hierarchy.
    prefix: str  #: Of personal folders.

    def translate(self, name: str) -> str:
        """Return the server's form of a configured name."""
        if name.upper() == "INBOX":  # RFC 3501 §5.1: the one name, in any case, that all servers share
            return "INBOX"
        own = name.replace("/", self.separator) if self.separator else name.replace("/", "-")
        if own.upper().startswith("INBOX" + self.separator) and self.separator:
            own = "INBOX" + own[5:]
        return own if own.startswith(self.prefix) else self.prefix + own


def naming(client: Client) -> Naming:
    """Query the server's naming (NAMESPACE, RFC 2342; else LIST "" "", RFC 3501 §6.3.8)."""
    if client.has_capability("NAMESPACE"):
        personal = client.namespace().personal
        if personal:
            prefix, separator = personal[0]
            return Naming(_text(separator), _text(prefix))
    for _flags, separator, _name in client.list_folders("", ""):
        return Naming(_text(separator), "")
    return Naming("/", "")


def _text(value: str | bytes | None) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else value or ""


def existing(client: Client, name: str) -> bool:
    """Return whether a folder of exactly this name can be selected."""
    pattern = name.replace("*", "%")  # "*" and "%" are wildcards in LIST; other matches are filtered out below
    return any(
        found == name and not UNSELECTABLE.intersection(flag.lower() for flag in flags)
        for flags, _separator, found in client.list_folders("", pattern)
    )


def ensure(client: Client, settings: ImapSettings, key: str, name: str, how: Naming) -> str:
    """Return the server's name of the folder configured by `imap.<key>`; create and subscribe it if necessary."""
    if existing(client, name):
        return name
    own = how.translate(name)
    if not existing(client, own):
        _create(client, settings, key, own, how)
    try:
        client.subscribe_folder(own)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        # Mail clients may hide the folder; nothing else depends on it.
        log.info("%s: the folder %s could not be subscribed: %s", server_name(settings), own, server_words(error))
    return own


def _create(client: Client, settings: ImapSettings, key: str, own: str, how: Naming) -> None:
    """Create a folder, its parents first if the server does not do so itself (RFC 3501 §6.3.3: SHOULD)."""
    steps = own.split(how.separator) if how.separator else [own]
    above = [how.separator.join(steps[:n]) for n in range(1, len(steps))]
    try:
        client.create_folder(own)
        return
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        refusal = error
    for parent in [*above, own]:
        try:
            client.create_folder(parent)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            refusal = error
    if not existing(client, own):
        raise MailboxUnavailable(
            f"{server_name(settings)}: the folder {own} cannot be created: {server_words(refusal)}. "
            f"Create it by hand, or name another one in imap.{key}."
        ) from refusal
    log.info("%s: created the folder %s", server_name(settings), own)


def source(client: Client, settings: ImapSettings, how: Naming) -> str:
    """Return the server's name of `imap.folder`. Raises MailboxUnavailable if it does not exist: it may be a typo."""
    for name in (settings.folder, how.translate(settings.folder)):
        if name.upper() == "INBOX" or existing(client, name):
            return name
    names = [found for _flags, _separator, found in client.list_folders()]
    near = difflib.get_close_matches(how.translate(settings.folder), names, n=3, cutoff=0.5) or sorted(names)[:10]
    raise MailboxUnavailable(
        f"{server_name(settings)}: imap.folder = {settings.folder!r} does not exist. The server has: {', '.join(near)}."
    )
