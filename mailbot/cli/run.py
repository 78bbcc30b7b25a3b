"""`mailbot run`: the daemon."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from mailbot.cli.options import ConfigFile, named_config, restore_owner, settings_of, single


def run(
    context: typer.Context,
    once: Annotated[
        bool, typer.Option("--once", help="Process the inbox, run due timers, send the outbox, then exit.")
    ] = False,
    config: ConfigFile = None,
) -> None:
    """Run the helpdesk until SIGTERM or Ctrl-C; SIGHUP reloads the configuration."""
    settings = settings_of(context, quiet=False)

    # Half of the start-up is loading code that the mail servers need not wait for.
    from mailbot.transport.imap.mailbox import open_ahead

    mailboxes = open_ahead(settings)

    from mailbot.config.layers import config_path
    from mailbot.daemon import app as daemon
    from mailbot.daemon.once import run_once

    # A thread that waits for a server gets the interpreter back within a millisecond of the answer, not within five.
    sys.setswitchinterval(0.001)
    try:
        path = config_path(named_config(context))
        code = run_once(settings, mailboxes) if once else daemon.run(settings, path, mailboxes)
    finally:
        restore_owner(settings.storage.data_dir)
    raise typer.Exit(code)


app = single("run", run, "mailbot run", "mailbot run --once --config ./mailbot.toml")
