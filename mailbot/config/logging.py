"""Logging as [log] configures it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:  # the settings' type is a large import, and the demo logs without any
    from mailbot.config.model import Settings
from mailbot.runtime.logs import configure


def configure_for(settings: Settings, *, at_least: str = "debug") -> None:
    """Configure logging as `[log]` says, masking the configured secrets; nothing below `at_least` is shown."""
    levels = ("debug", "info", "warning", "error")
    url = settings.storage.database_url.get_secret_value()
    servers = (*settings.mailboxes, settings.imap, settings.smtp, settings.alerts)
    known = [server.password.get_secret_value() for server in servers]
    known.append(url)
    known += [unquote(found[1]) for found in [re.match(r"[^/]+//[^:/@]*:([^@]+)@", url)] if found]
    configure(max(settings.log.level, at_least, key=levels.index), settings.log.format, secrets=known)
