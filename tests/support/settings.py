"""Sections of the configuration for a server on loopback, as tests want them."""

from __future__ import annotations

from typing import Any

from mailbot.config.model import ImapSettings, SmtpSettings

PASSWORD = "secret"


def imap_settings(port: int, user: str = "support", **keys: Any) -> ImapSettings:
    """[imap] for 127.0.0.1:`port`, without TLS unless `keys` say so."""
    return ImapSettings.model_validate(
        {"host": "127.0.0.1", "port": port, "security": "none", "username": user, "password": PASSWORD, **keys}
    )


def smtp_settings(port: int, **keys: Any) -> SmtpSettings:
    """[smtp] for 127.0.0.1:`port`, without TLS and log-in unless `keys` say so."""
    return SmtpSettings.model_validate({"host": "127.0.0.1", "port": port, "security": "none", **keys})
