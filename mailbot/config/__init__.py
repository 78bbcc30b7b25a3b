"""The configuration: typed settings from one TOML file, systemd's credentials and the environment (contract.md).

`load_settings(path)` gives `Settings` or raises ConfigError with everything that is wrong, at once.
"""

from mailbot.config.layers import config_path
from mailbot.config.load import load_settings
from mailbot.config.model import (
    AgentSettings,
    HelpdeskSettings,
    HoursSettings,
    ImapSettings,
    InboundSettings,
    ServerSettings,
    Settings,
    SmtpSettings,
    StorageSettings,
    TimerSettings,
)
from mailbot.config.values import Listen, Rate

__all__ = [
    "AgentSettings",
    "HelpdeskSettings",
    "HoursSettings",
    "ImapSettings",
    "InboundSettings",
    "Listen",
    "Rate",
    "ServerSettings",
    "Settings",
    "SmtpSettings",
    "StorageSettings",
    "TimerSettings",
    "config_path",
    "load_settings",
]
