"""Opens a connection and authenticates: TLS, password or XOAUTH2, with an error text for each way in which that fails.

In: the keys of `[imap]`. Out: a `Client` in the authenticated state, or `MailboxUnavailable` whose text names the
server and the remedy. Standards: RFC 3501 §6.2, RFC 8314 (TLS), RFC 5530 (response codes), RFC 4616 (PLAIN), XOAUTH2.
Never: a password over an unencrypted connection to another machine; a second attempt after a refusal, except with a
renewed token.
"""

from __future__ import annotations

import imaplib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from mailbot.errors import MailboxUnavailable, PermanentError, TemporaryError
from mailbot.transport.imap.connection import Client, Endpoint
from mailbot.transport.oauth import TokenRefused, TokenSource, xoauth2
from mailbot.transport.tls import CONNECTS_AGAIN, client_context, explain, plaintext_fault, without_secrets

if TYPE_CHECKING:
    from mailbot.config.model import ImapSettings

CONNECT_TIMEOUT = 20.0
# Seconds of silence after which a server that owes an answer counts as dead. Dovecot delays its answer to a wrong
# password by some seconds.
READ_TIMEOUT = 60.0

# RFC 5530 §3: a NO with one of these says nothing about the password.
NOT_THE_PASSWORD = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]", "[CONTACTADMIN]")
# Dovecot ends its answers with the time that they took.
_TIMING = re.compile(r" \([0-9.+ ]{1,60} secs\)\.?\Z")
_COMMAND = re.compile(r"^command: \w+ => ")
_BYTES_REPR = re.compile(r"b'(.*)'|b\"(.*)\"", re.DOTALL)


def server_name(settings: ImapSettings) -> str:
    """Return how messages name the server."""
    where = f"IMAP {settings.host}:{settings.port}"
    return where if settings.section == "imap" else f"{where} ([[mailbox]] {settings.section.partition('.')[2]})"


def server_words(error: Exception) -> str:
    """Return the server's own words, without what imaplib puts around them."""
    text = _COMMAND.sub("", str(error))
    if text.endswith("socket error: EOF"):
        return "the server closed it"
    found = _BYTES_REPR.search(text)
    said = (found[1] or found[2] or "") if found else text
    return _TIMING.sub("", " ".join(said.split())[:500])


@contextmanager
def network_faults(settings: ImapSettings, doing: str) -> Iterator[None]:
    """Convert whatever the libraries raise into MailboxUnavailable; `doing` describes the operation."""
    try:
        yield
    except MailboxUnavailable:
        raise
    except imaplib.IMAP4.readonly as error:
        raise MailboxUnavailable(
            f"{server_name(settings)}: {doing}: {settings.folder} is read-only for {settings.username}. "
            "Give the account the right to move mail out of it."
        ) from error
    except imaplib.IMAP4.abort as error:  # the connection is gone or out of step; `error` is its parent class
        raise MailboxUnavailable(
            f"{server_name(settings)}: the connection was lost while {doing} ({server_words(error)}). {CONNECTS_AGAIN}"
        ) from error
    except imaplib.IMAP4.error as error:
        raise MailboxUnavailable(f"{server_name(settings)}: refused while {doing}: {server_words(error)}") from error
    except OSError as error:
        raise MailboxUnavailable(f"{server_name(settings)}: {doing}: {explain(error, 'imap')}") from error
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        # What imapclient's and imaplib's parsers raise on malformed answers.
        raise MailboxUnavailable(
            f"{server_name(settings)}: the answer makes no sense while {doing}: {error}"
        ) from error


def connect(settings: ImapSettings, tokens: TokenSource, timeout: float = READ_TIMEOUT) -> Client:
    """Return a connection that is logged in. Raises MailboxUnavailable (`credentials` if the server refused them)."""
    unsafe = plaintext_fault(settings, settings.section)
    if unsafe:
        raise MailboxUnavailable(f"{server_name(settings)}: {unsafe}")
    with network_faults(settings, "connecting"):
        context = None if settings.security == "none" else client_context(settings.ca_file)
        from_start = context if settings.security == "tls" else None
        connect_timeout = min(CONNECT_TIMEOUT, timeout)
        client = Client(Endpoint(settings.host, settings.port, from_start, connect_timeout, timeout))
    try:
        with network_faults(settings, "starting TLS"):
            if context is not None and settings.security == "starttls":
                _require_starttls(client, settings)
                client.upgrade(context)
        if client.wire.state == "NONAUTH":  # else PREAUTH: the connection itself authenticates us
            _log_in(client, settings, tokens)
    except BaseException:
        drop(client)
        raise
    return client


def drop(client: Client) -> None:
    """Close without LOGOUT: the state of the connection is unknown."""
    with suppress(OSError, imaplib.IMAP4.error):  # it is being discarded
        client.shutdown()


def _require_starttls(client: Client, settings: ImapSettings) -> None:
    if not client.has_capability("STARTTLS"):
        raise MailboxUnavailable(
            f"{server_name(settings)}: the server offers no STARTTLS on this port. "
            'Set imap.security = "tls" with imap.port = 993, or correct the server.'
        )


def _log_in(client: Client, settings: ImapSettings, tokens: TokenSource) -> None:
    if settings.auth != "xoauth2":
        _with_password(client, settings)
        return
    for last in (False, True):
        token = _token(settings, tokens)
        try:
            _attempt(client, settings, token)
            return
        except MailboxUnavailable as refusal:
            if last or not refusal.credentials or not _renewable(tokens, token, settings):
                raise


def _token(settings: ImapSettings, tokens: TokenSource) -> str:
    try:
        return tokens.token()
    except TokenRefused as error:
        raise MailboxUnavailable(f"{server_name(settings)}: {error}", credentials=True) from error
    except (TemporaryError, PermanentError, OSError) as error:
        raise MailboxUnavailable(f"{server_name(settings)}: no access token: {error}") from error


def _renewable(tokens: TokenSource, used: str, settings: ImapSettings) -> bool:
    """Return whether there is a token other than the refused one, which may have been revoked early."""
    tokens.forget()
    return _token(settings, tokens) != used


def _attempt(client: Client, settings: ImapSettings, token: str) -> None:
    answers = iter([xoauth2(settings.username, token)])
    with _log_in_faults(settings, f"{settings.section}.username and the OAuth consent for it"):
        # If it fails, the server sends a challenge with the reason, which an empty line acknowledges.
        client.sasl_login("XOAUTH2", lambda _challenge: next(answers, ""))


def _with_password(client: Client, settings: ImapSettings) -> None:
    user, password = settings.username, settings.password.get_secret_value()
    plain_offered = client.has_capability("AUTH=PLAIN")
    # LOGIN is ASCII only, and RFC 3501 §6.2.3 forbids it if LOGINDISABLED is announced; PLAIN is UTF-8 (RFC 4616).
    simple = (user + password).isascii() and (user + password).isprintable()
    with _log_in_faults(settings, f"{settings.section}.username and {settings.section}.password"):
        if client.has_capability("LOGINDISABLED") and not plain_offered:
            raise MailboxUnavailable(
                f"{server_name(settings)}: the server allows no log-in on an unencrypted connection. "
                'Set imap.security to "tls" or "starttls".'
            )
        if simple and not client.has_capability("LOGINDISABLED"):
            quoted = user.replace("\\", "\\\\").replace('"', '\\"')
            client.login(f'"{quoted}"', password)  # imaplib quotes the password, but not the name
        else:
            client.plain_login(user, password)


@contextmanager
def _log_in_faults(settings: ImapSettings, keys: str) -> Iterator[None]:
    """Convert a NO to the log-in: refused credentials, unless its code (RFC 5530) or a lost connection disproves it."""
    with network_faults(settings, "logging in"):
        try:
            yield
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            # imapclient wraps everything in LoginError; the cause is in the context.
            if isinstance(error.__context__, (imaplib.IMAP4.abort, OSError)):
                raise error.__context__ from error
            said = without_secrets(server_words(error), settings.password.get_secret_value())
            if any(code in said.upper() for code in NOT_THE_PASSWORD):
                raise MailboxUnavailable(
                    f"{server_name(settings)}: the server accepts no log-in at the moment: {said}"
                ) from error
            raise MailboxUnavailable(
                f"{server_name(settings)}: the log-in was refused: {said}. Check {keys}.", credentials=True
            ) from error
