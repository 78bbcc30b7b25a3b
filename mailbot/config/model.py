"""The settings, table by table: every key of the configuration with its type and its default.

In: merged texts and numbers (`config.load` gathers them). Out: `Settings`, frozen. Each table refuses keys that it does
not know. Rules between keys are in `config.checks`. `config/mailbot.toml` explains each key to the admin; a test keeps
the two alike.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from mailbot.config.values import (
    Country,
    Day,
    Domain,
    Duration,
    Email,
    FileExtension,
    FilePath,
    Flag,
    Language,
    Line,
    Listen,
    ListenOn,
    MailboxName,
    OptionalDoor,
    OptionalDuration,
    OptionalEmail,
    OptionalFileName,
    OptionalFilePath,
    OptionalListen,
    Port,
    RateOf,
    RefusedFiles,
    Scanner,
    Size,
    TimeOfDay,
    WebAddress,
    Whole,
    Words,
    Zone,
    read_duration,
    read_rate,
    read_time,
)
from mailbot.vocabulary.refused_files import DEFAULT as DEFAULT_REFUSED

Security = Literal["tls", "starttls", "none"]
DayName = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAY_NAMES: tuple[DayName, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Table(BaseModel):
    """A table of the file: an unknown key is an error, and nothing changes after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HelpdeskSettings(Table):
    """[helpdesk]: who the desk is."""

    name: Words = "Helpdesk BOSP"
    brand: Words = "BOSP"
    address: Email = "support@helpdesk.example"
    aliases: tuple[Email, ...] = ()
    language: Language = "id"
    timezone: Zone = "Asia/Jakarta"
    first_ticket_number: Annotated[Whole, Field(ge=1, le=999_999_999)] = 10001
    status_page: WebAddress = ""
    secret_file: OptionalFilePath = None
    plus_addressing: Flag = True
    templates_dir: OptionalFilePath = None

    @property
    def zone(self) -> ZoneInfo:
        """The desk's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address of the desk, the first is the one it writes from."""
        return (self.address, *self.aliases)


class StorageSettings(Table):
    """[storage]: where the desk's memory lies. `database_url` may hold a password: hence secret."""

    data_dir: FilePath = Path("/var/lib/mailbot")
    database_url: SecretStr = SecretStr("")
    database_url_file: OptionalFilePath = None
    keep_raw: OptionalDuration = None


class ServerSettings(Table):
    """What [imap] and [smtp] have in common: a log-in to a mail server."""

    host: Words = "127.0.0.1"
    allow_insecure: Flag = False
    ca_file: OptionalFileName = ""
    auth: Literal["password", "xoauth2"] = "password"
    username: Line = ""
    password: SecretStr = SecretStr("")
    password_file: OptionalFilePath = None
    token_file: OptionalFileName = ""
    token_command: Line = ""


class ImapSettings(ServerSettings):
    """[imap]: the inbox that mail is read from."""

    port: Port = 993
    security: Security = "tls"
    folder: Words = "INBOX"
    processed_folder: Line = "Mailbot/Processed"
    quarantine_folder: Words = "Mailbot/Quarantine"
    idle: Flag = True
    poll_interval: Duration = read_duration("30s")

    @property
    def section(self) -> str:
        """What this part of the configuration is called where a person has to mend it."""
        return "imap"


# Keys that together say how to log in: who gives one of them leaves none of the others to [imap].
PROOFS = frozenset({"password", "password_file", "token_file", "token_command"})


class MailboxSettings(ImapSettings):
    """One [[mailbox]]: an inbox of the desk among several. What it leaves out is as in [imap] (`Settings.mailboxes`).

    `address`: where its mail comes to and its tickets write from, "" for that of [helpdesk]; `program`: what its new
    tickets are about.
    """

    name: MailboxName
    address: OptionalEmail = ""
    program: Line = ""

    @property
    def section(self) -> str:
        """What this part of the configuration is called where a person has to mend it."""
        return f"mailbox.{self.name}" if self.name else "imap"

    @property
    def place(self) -> str:
        """The folder, so that it is known again: `user@host/folder`."""
        return f"{self.username}@{self.host}/{self.folder}"

    def completed(self, imap: ImapSettings) -> MailboxSettings:
        """With everything from [imap] that was not written here."""
        written = {key: getattr(self, key) for key in self.model_fields_set}
        inherited = {key: getattr(imap, key) for key in ImapSettings.model_fields}
        if PROOFS & written.keys():
            inherited |= {key: MailboxSettings.model_fields[key].default for key in PROOFS}
        return MailboxSettings.model_construct(**(inherited | {"address": "", "program": ""} | written))


class SmtpSettings(ServerSettings):
    """[smtp]: the server that mail is handed to."""

    port: Port = 587
    security: Security = "starttls"
    connections: Annotated[Whole, Field(ge=1, le=50)] = 3
    max_per_minute: Annotated[Whole, Field(ge=0, le=1_000_000)] = 0
    retry_for: Duration = read_duration("2d")


class TimerSettings(Table):
    """[timers]: when a waiting ticket is reminded of, and closed."""

    reminders: tuple[Duration, ...] = (read_duration("6h"), read_duration("24h"))
    auto_close: Duration = read_duration("48h")
    clock: Literal["wall", "service"] = "wall"


class HoursSettings(Table):
    """[hours]: when the desk is open."""

    days: tuple[DayName, ...] = ("mon", "tue", "wed", "thu", "fri")
    open: TimeOfDay = read_time("08:00")
    close: TimeOfDay = read_time("17:00")
    holidays: Country = "ID"
    extra_holidays: tuple[Day, ...] = ()
    extra_workdays: tuple[Day, ...] = ()


class FollowUpSettings(Table):
    """[follow_up]: what thanks for a closed ticket do."""

    on_thanks: Literal["record", "follow_up"] = "record"


class InboundSettings(Table):
    """[inbound]: what is taken in, and how much is answered by itself."""

    max_size: Annotated[Size, Field(ge=1_000, le=250_000_000)] = 35_000_000
    max_auto_replies_per_sender: RateOf = read_rate("20/h")
    max_auto_replies_per_ticket: RateOf = read_rate("30/h")
    max_auto_replies_per_domain: RateOf = read_rate("25/h")
    max_auto_replies_alike: RateOf = read_rate("20/h")
    max_auto_replies: RateOf = read_rate("100000/h")
    max_notifications_per_ticket: RateOf = read_rate("30/h")
    shared_domains: tuple[Domain, ...] = ()
    trusted_authserv_ids: tuple[Words, ...] = ()


class AttachmentsSettings(Table):
    """[attachments]: which files are not passed on, and who looks for viruses; `refuse` has kinds and extensions."""

    refuse: tuple[RefusedFiles, ...] = DEFAULT_REFUSED
    allow: tuple[FileExtension, ...] = ()
    clamd: Scanner = ""
    clamd_timeout: Duration = read_duration("30s")
    clamd_down: Literal["hold", "pass"] = "hold"


class AgentMailSettings(Table):
    """[agent_mail]: when an agent's mail is believed, and what it does."""

    trust: Literal["token", "dmarc", "either", "both"] = "token"
    after_reply: Literal["queued", "in_progress", "waiting"] = "waiting"
    notify: Literal["all", "round_robin", "none"] = "all"
    dkim_keys: OptionalFilePath = None


class AgentSettings(Table):
    """One [[agents]]: a person of the helpdesk team."""

    name: Words
    email: Email
    aliases: tuple[Email, ...] = ()
    role: Literal["agent", "lead"] = "agent"
    programs: tuple[Words, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address that this agent writes from."""
        return (self.email, *self.aliases)


class AlertsSettings(ServerSettings):
    """[alerts]: who hears, and by which server, when the desk itself is in trouble; and from when on it is trouble.

    `host` "": the server of [smtp].
    """

    addresses: tuple[Email, ...] = ()
    host: Line = ""
    port: Port = 587
    security: Security = "starttls"
    sender: OptionalEmail = ""
    command: Line = ""
    after: Duration = read_duration("15m")
    repeat: Duration = read_duration("24h")
    inbox_silent: Duration = read_duration("10m")
    outbox_age: Duration = read_duration("1h")
    disk_free: Size = 500_000_000
    inodes_free: Annotated[Whole, Field(ge=0, le=1_000_000_000)] = 1000
    quarantine: Annotated[Whole, Field(ge=1, le=1_000_000)] = 10
    automatic: Annotated[Whole, Field(ge=1, le=1_000_000_000)] = 2000
    certificate: Duration = read_duration("7d")


class CanarySettings(Table):
    """[canary]: a mail of the desk to itself whose way round is measured; None: none is sent."""

    every: OptionalDuration = None
    within: Duration = read_duration("5m")


class WebSettings(Table):
    """[web]: the form and the status page."""

    enabled: Flag = False
    listen: ListenOn = Listen("127.0.0.1", 8080)


class MetricsSettings(Table):
    """[metrics]: figures for Prometheus; None: none are given."""

    listen: OptionalListen = None


class LmtpSettings(Table):
    """[lmtp]: mail straight from Postfix or Dovecot; None: this door is shut."""

    listen: OptionalDoor = None
    allow_insecure: Flag = False


class LogSettings(Table):
    """[log]: how much is logged, and in which form."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"


class Settings(BaseSettings):
    """The whole configuration. Made by `load_settings`, or, for a demo or a test, by `Settings(helpdesk={…}, …)`."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="MAILBOT_", env_nested_delimiter="__", case_sensitive=False
    )

    helpdesk: HelpdeskSettings = HelpdeskSettings()
    storage: StorageSettings = StorageSettings()
    imap: ImapSettings = ImapSettings()
    mailbox: tuple[MailboxSettings, ...] = ()
    smtp: SmtpSettings = SmtpSettings()
    timers: TimerSettings = TimerSettings()
    hours: HoursSettings = HoursSettings()
    follow_up: FollowUpSettings = FollowUpSettings()
    inbound: InboundSettings = InboundSettings()
    attachments: AttachmentsSettings = AttachmentsSettings()
    agent_mail: AgentMailSettings = AgentMailSettings()
    agents: tuple[AgentSettings, ...] = ()
    alerts: AlertsSettings = AlertsSettings()
    canary: CanarySettings = CanarySettings()
    web: WebSettings = WebSettings()
    metrics: MetricsSettings = MetricsSettings()
    lmtp: LmtpSettings = LmtpSettings()
    log: LogSettings = LogSettings()

    _config_file: Path | None = PrivateAttr(default=None)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in: `config.load` reads the layers itself, to say where a wrong value stood."""
        return (init_settings,)

    @property
    def config_file(self) -> Path | None:
        """The file that these settings were read from."""
        return self._config_file

    @property
    def mailboxes(self) -> tuple[MailboxSettings, ...]:
        """Every inbox that is read, complete: the [[mailbox]]es, or where there is none the one of [imap], named ""."""
        if not self.mailbox:
            return (MailboxSettings.model_construct(name="").completed(self.imap),)
        return tuple(box.completed(self.imap) for box in self.mailbox)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address of the desk, its mailboxes' too; it writes from the first where nothing else is said."""
        return tuple(dict.fromkeys((*self.helpdesk.addresses, *(box.address for box in self.mailbox if box.address))))

    @property
    def database_url(self) -> str:
        """Where the database is, for SQLAlchemy: the given URL, or mailbot.db in the data folder."""
        return (
            self.storage.database_url.get_secret_value() or f"sqlite:///{self.storage.data_dir.absolute()}/mailbot.db"
        )
