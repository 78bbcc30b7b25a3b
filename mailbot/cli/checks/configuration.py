"""Probes of the configuration: plausible values, protected passwords, agents and how their mail is authenticated."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from mailbot.cli.checks.result import CheckResult
from mailbot.config.model import Settings

EXAMPLE_ADDRESS = "support@helpdesk.example"


def configuration(settings: Settings) -> Iterator[CheckResult]:
    """Check for values left from the example and for passwords that others may read."""
    part, file = "configuration", settings.config_file
    yield CheckResult(part, "ok", f"{file or 'defaults'} has no mistake")
    if settings.helpdesk.address == EXAMPLE_ADDRESS and settings.imap.host not in ("127.0.0.1", "localhost"):
        yield CheckResult(part, "warn", f"the desk's address is still {EXAMPLE_ADDRESS}", "set [helpdesk] address")
    for box in settings.mailboxes:
        if not box.username:
            table = f"[[mailbox]] {box.name}:" if box.name else "[imap]"
            yield CheckResult(part, "warn", f"{table} username is empty", "set it: the log-in of the desk's mailbox")
    for name, holds_secret in _secret_files(settings):
        mode = stat.S_IMODE(name.stat().st_mode) if name.exists() else 0
        if holds_secret and mode & 0o077:
            remedy = f"chmod 600 {name}" if name != file else "put it into a file of its own (password_file), chmod 600"
            yield CheckResult(part, "warn", f"{name} holds a password and others may read it ({mode:04o})", remedy)


def _secret_files(settings: Settings) -> Iterator[tuple[Path, bool]]:
    """Yield the files that may hold a password, and whether they do as far as the configuration tells."""
    servers = (*settings.mailboxes, settings.smtp, settings.alerts)
    if settings.config_file is not None:
        inside = any(server.password.get_secret_value() and server.password_file is None for server in servers)
        # A systemd credential or the environment may be where it came from: then the file holds none.
        from_outside = bool(os.environ.get("CREDENTIALS_DIRECTORY")) or any(
            name.upper().startswith("MAILBOT_") and "PASSWORD" in name.upper() for name in os.environ
        )
        yield settings.config_file, inside and not from_outside
    for server in servers:
        if server.password_file is not None:
            yield server.password_file, True


def agents(settings: Settings) -> Iterator[CheckResult]:
    """Check that there are agents, and a lead among them."""
    team = settings.agents
    if not team:
        words = "the configuration names none"
        yield CheckResult("agents", "warn", words, "add [[agents]], or use `mailbot agent add`")
    elif not any(agent.role == "lead" for agent in team):
        words = f"{len(team)}, none of them a lead: all of them get notices"
        yield CheckResult("agents", "warn", words, 'give one role = "lead"')
    else:
        yield CheckResult("agents", "ok", f"{len(team)}: {', '.join(agent.email for agent in team)}")


def agent_authentication(settings: Settings) -> Iterator[CheckResult]:
    """Check that an agent's mail can be authenticated as [agent_mail] trust requires."""
    from mailbot.config.dkim_keys import read_dkim_keys

    part = "agents' mail"
    trust, servers = settings.agent_mail.trust, settings.inbound.trusted_authserv_ids
    keys = read_dkim_keys(settings.agent_mail.dkim_keys)
    if trust == "token":
        yield CheckResult(part, "ok", "authenticated by its signed reply address (trust = token)")
        return
    if servers or keys:
        named = ", ".join([*servers, *([f"{len(keys)} DKIM keys"] if keys else [])])
        yield CheckResult(part, "ok", f"trust = {trust}, by {named}")
        return
    consequence = (
        "only the signed reply address can prove it"
        if trust == "either"
        else "none can be proven, and all of it is held until its agent confirms"
        if trust == "dmarc"
        else "none can be proven, and even a confirmation is held"
    )
    remedy = (
        "name the server that checks DMARC for this mailbox in [inbound] trusted_authserv_ids (the first word of its "
        "Authentication-Results), put DKIM keys of the agents' domains into [agent_mail] dkim_keys, or set "
        'trust = "token"'
    )
    words = f"trust = {trust}, but [inbound] trusted_authserv_ids and [agent_mail] dkim_keys are empty: {consequence}"
    yield CheckResult(part, "warn", words, remedy)


def templates(settings: Settings) -> Iterator[CheckResult]:
    """Render every template in both languages."""
    from mailbot.desk.wiring import make_renderer

    names = make_renderer(settings).check()
    own = f", those in {settings.helpdesk.templates_dir} first" if settings.helpdesk.templates_dir else ""
    yield CheckResult("templates", "ok", f"{len(names)} rendered in Indonesian and English{own}")
