"""The settings, table by table: every key of the configuration with its type, its default and its meaning.

In: merged texts and numbers (`config.load` gathers them). Out: `Settings`, frozen. Each table rejects unknown keys.
Rules between keys are in `config.checks`. `tools/reference.py` writes the `#:` comments into config/mailbot.toml and
docs/operator/configuration.md, which admins read: they are the only source of a key's meaning.
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
    OptionalDuration,
    OptionalEmail,
    OptionalEndpoint,
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
    """A table of the file: unknown keys are rejected, and its values are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HelpdeskSettings(Table):
    """[helpdesk]: the identity of the desk."""

    name: Words = "Helpdesk BOSP"  #: sender name of automatic mail
    brand: Words = "BOSP"  #: shown behind an agent's name: "Sally (BOSP)"
    #: where requesters and agents write; replies come to support+TOKEN@helpdesk.example
    address: Email = "support@helpdesk.example"
    aliases: tuple[Email, ...] = ()  #: other addresses of the same desk
    language: Language = "id"  #: "id" (Indonesian) or "en" (English), for people whose language is unknown
    timezone: Zone = "Asia/Jakarta"  #: of the service hours and of every time shown to people
    #: number of the first ticket; later ones count up from it
    first_ticket_number: Annotated[Whole, Field(ge=1, le=999_999_999)] = 10001
    status_page: WebAddress = ""  #: public address of the status page, linked in mail where it is set
    secret_file: OptionalFilePath = None  #: key of the signed reply addresses; "": created in data_dir, mode 0600
    #: false where the mail server rejects support+x@…: replies are then recognised by Message-ID
    plus_addressing: Flag = True
    templates_dir: OptionalFilePath = None  #: a folder whose templates override those of the package

    @property
    def zone(self) -> ZoneInfo:
        """The desk's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address of the desk; the first is the one that it writes from."""
        return (self.address, *self.aliases)


class StorageSettings(Table):
    """[storage]: where the desk's data is stored."""

    data_dir: FilePath = Path("/var/lib/mailbot")  #: the desk's own folder
    #: "": SQLite, mailbot.db in data_dir; or "postgresql+psycopg://USER@HOST/NAME"
    database_url: SecretStr = SecretStr("")
    database_url_file: OptionalFilePath = None  #: a file that holds the URL, where it contains a password
    keep_raw: OptionalDuration = None  #: "": keep raw mail for ever; "400d": that of closed tickets for this long


class ServerSettings(Table):
    """The keys that [imap], [smtp] and [alerts] have in common: a log-in to a mail server."""

    host: Words = "127.0.0.1"  #: name or address of the server
    allow_insecure: Flag = False  #: true allows "none" to another machine: password and mail unencrypted
    ca_file: OptionalFileName = ""  #: certificate of a private authority that signed the server's certificate
    #: "password", or "xoauth2" with access tokens (Gmail, Microsoft 365)
    auth: Literal["password", "xoauth2"] = "password"
    username: Line = ""  #: "" in [smtp] and [alerts]: no log-in, for a relay that trusts this machine
    password: SecretStr = SecretStr("")  #: better in password_file or a credential
    password_file: OptionalFilePath = None  #: a file that holds the password
    #: for xoauth2: an access token refreshed by another program, or JSON with client_id, client_secret,
    #: refresh_token, token_uri
    token_file: OptionalFileName = ""
    token_command: Line = ""  #: for xoauth2: a program that prints an access token


class ImapSettings(ServerSettings):
    """[imap]: the inbox that mail is read from."""

    port: Port = 993  #: 993 with "tls", 143 with "starttls"
    security: Security = "tls"  #: "tls", "starttls", or "none" (only to this machine itself)
    folder: Words = "INBOX"  #: the folder that is read
    #: where processed mail is moved; "" leaves it in place, marked by a keyword
    processed_folder: Line = "Mailbot/Processed"
    quarantine_folder: Words = "Mailbot/Quarantine"  #: where mail in quarantine is moved
    idle: Flag = True  #: let the server announce new mail at once (IMAP IDLE, RFC 2177)
    poll_interval: Duration = read_duration("30s")  #: how often to check for new mail besides

    @property
    def section(self) -> str:
        """The name of this table in messages to the admin."""
        return "imap"


# Keys that together say how to log in: a mailbox that gives one of them inherits none of the others from [imap].
CREDENTIALS = frozenset({"password", "password_file", "token_file", "token_command"})


class MailboxSettings(ImapSettings):
    """[[mailbox]]: one inbox of a desk that reads several."""

    name: MailboxName  #: a short name for it: a-z, 0-9, "-"
    address: OptionalEmail = ""  #: the address of its mail, and of the replies to it; "": that of [helpdesk]
    program: Line = ""  #: the program of its tickets, which agents have in their `programs`

    @property
    def section(self) -> str:
        """The name of this table in messages to the admin."""
        return f"mailbox.{self.name}" if self.name else "imap"

    @property
    def folder_id(self) -> str:
        """`user@host/folder`, which identifies the folder in the database."""
        return f"{self.username}@{self.host}/{self.folder}"

    def completed(self, imap: ImapSettings) -> MailboxSettings:
        """Return these settings with everything from [imap] that was not written here."""
        written = {key: getattr(self, key) for key in self.model_fields_set}
        inherited = {key: getattr(imap, key) for key in ImapSettings.model_fields}
        if CREDENTIALS & written.keys():
            inherited |= {key: MailboxSettings.model_fields[key].default for key in CREDENTIALS}
        return MailboxSettings.model_construct(**(inherited | {"address": "", "program": ""} | written))


class SmtpSettings(ServerSettings):
    """[smtp]: the server that mail is submitted to."""

    port: Port = 587  #: 587 with "starttls", 465 with "tls", 25 for a relay on this machine
    security: Security = "starttls"  #: "tls", "starttls", or "none" (only to this machine itself)
    connections: Annotated[Whole, Field(ge=1, le=50)] = 3  #: at most, under a backlog (Microsoft 365 allows 3)
    max_per_minute: Annotated[Whole, Field(ge=0, le=1_000_000)] = 0  #: most mails in a minute; 0: no limit
    retry_for: Duration = read_duration("2d")  #: how long to retry a mail that the server does not accept yet


class TimerSettings(Table):
    """[timers]: reminders and closing while a ticket waits for the requester."""

    #: after the agent's mail was sent
    reminders: tuple[Duration, ...] = (read_duration("6h"), read_duration("24h"))
    auto_close: Duration = read_duration("48h")  #: when the ticket is closed
    clock: Literal["wall", "service"] = "wall"  #: "wall", or "service": only service hours count


class HoursSettings(Table):
    """[hours]: the service hours, in the desk's time zone."""

    days: tuple[DayName, ...] = ("mon", "tue", "wed", "thu", "fri")  #: the working days
    open: TimeOfDay = read_time("08:00")  #: when service begins
    close: TimeOfDay = read_time("17:00")  #: when service ends
    holidays: Country = "ID"  #: public holidays (and cuti bersama) of this country; "" for none
    extra_holidays: tuple[Day, ...] = ()  #: more days off: ["2026-03-20"]
    extra_workdays: tuple[Day, ...] = ()  #: working days in spite of a holiday


class FollowUpSettings(Table):
    """[follow_up]: replies to closed tickets."""

    #: thanks for a closed ticket: "record" them on it, or open a "follow_up"
    on_thanks: Literal["record", "follow_up"] = "record"


class InboundSettings(Table):
    """[inbound]: limits on received mail and on automatic answers."""

    #: larger mail is not fetched; its sender is told what to do
    max_size: Annotated[Size, Field(ge=1_000, le=250_000_000)] = 35_000_000
    max_auto_replies_per_sender: RateOf = read_rate("20/h")  #: automatic mail to one requester
    max_auto_replies_per_ticket: RateOf = read_rate("30/h")  #: about one ticket and its follow-ups
    #: to new people of one domain who each wrote right after our last mail there
    max_auto_replies_per_domain: RateOf = read_rate("25/h")
    #: to new people who send the same text, each right after our last mail
    max_auto_replies_alike: RateOf = read_rate("20/h")
    max_auto_replies: RateOf = read_rate("100000/h")  #: in total: the last resort
    #: to agents, about new messages on one ticket; the rest is sent as one digest
    max_notifications_per_ticket: RateOf = read_rate("30/h")
    #: domains of many unrelated people, besides Gmail, belajar.id, *.sch.id …: no limit by domain or text applies
    shared_domains: tuple[Domain, ...] = ()
    #: whose Authentication-Results to trust: the name that your mail server writes there (RFC 8601)
    trusted_authserv_ids: tuple[Words, ...] = ()


class AttachmentsSettings(Table):
    """[attachments]: files that are not passed on; they stay in the raw mail."""

    #: more kinds: "macros", "pages" (HTML, SVG), "encrypted"; extensions: ".xlsm"
    refuse: tuple[RefusedFiles, ...] = DEFAULT_REFUSED
    allow: tuple[FileExtension, ...] = ()  #: extensions to pass on although their kind is refused: [".apk"]
    clamd: Scanner = ""  #: ClamAV: "unix:/run/clamav/clamd.ctl" or "127.0.0.1:3310"; "": no scan
    clamd_timeout: Duration = read_duration("30s")  #: for scanning one mail
    #: while clamd does not answer: "hold" files back (not the text), or "pass" them
    clamd_down: Literal["hold", "pass"] = "hold"


class AgentMailSettings(Table):
    """[agent_mail]: mail from agents: its authentication, and what it does."""

    #: proof that a mail is an agent's: "token" (a reply to a notification), "dmarc", "either" or "both"
    trust: Literal["token", "dmarc", "either", "both"] = "token"
    after_reply: Literal["queued", "in_progress", "waiting"] = "waiting"  #: status after an agent's answer
    #: who is notified of a new ticket: "all" agents, one in turn ("round_robin"), or "none"
    notify: Literal["all", "round_robin", "none"] = "all"
    #: a folder of public DKIM keys, files SELECTOR._domainkey.DOMAIN: an agent's mail with a valid signature
    #: of one of them counts as proven by "dmarc", without a DNS query
    dkim_keys: OptionalFilePath = None


class AgentSettings(Table):
    """[[agents]]: one agent; more can be added with `mailbot agent add`."""

    name: Words  #: shown on their answers
    email: Email  #: where notifications go, and where answers come from
    aliases: tuple[Email, ...] = ()  #: other addresses that this agent writes from
    #: "agent"; or "lead", who also gets delivery failures, quarantine, alerts
    role: Literal["agent", "lead"] = "agent"
    #: gets new tickets of these programs only; []: those of no agent's program
    programs: tuple[Words, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address that this agent writes from."""
        return (self.email, *self.aliases)


class AlertsSettings(ServerSettings):
    """[alerts]: alerts about failures of the desk itself: recipients, server, thresholds."""

    addresses: tuple[Email, ...] = ()  #: the people who get a mail
    host: Line = ""  #: a second mail server, since the first may be what failed; "": that of [smtp]
    port: Port = 587  #: 587 with "starttls", 465 with "tls", 25 for a relay on this machine
    security: Security = "starttls"  #: "tls", "starttls", or "none" (only to this machine itself)
    sender: OptionalEmail = ""  #: sender of alerts; "": the desk's address
    command: Line = ""  #: a program that reads the alert from standard input: "/usr/local/bin/page-it"
    after: Duration = read_duration("15m")  #: how long a failure lasts before it is alerted
    repeat: Duration = read_duration("24h")  #: how often the alert is repeated while it lasts
    inbox_silent: Duration = read_duration("10m")  #: failure: the inbox was not read for this long
    outbox_age: Duration = read_duration("1h")  #: failure: mail has been due for this long and none is sent
    disk_free: Size = 500_000_000  #: failure: less free space on the disk of data_dir
    inodes_free: Annotated[Whole, Field(ge=0, le=1_000_000_000)] = 1000  #: failure: fewer free inodes
    #: failure: this many mails quarantined within a day
    quarantine: Annotated[Whole, Field(ge=1, le=1_000_000)] = 10
    #: failure: this many automatic mails within an hour (none is withheld for it)
    automatic: Annotated[Whole, Field(ge=1, le=1_000_000_000)] = 2000
    certificate: Duration = read_duration("7d")  #: failure: a mail server's TLS certificate expires within this time


class CanarySettings(Table):
    """[canary]: a signed mail from the desk to itself, by SMTP and back by IMAP, to time it."""

    every: OptionalDuration = None  #: "5m"; "": none
    within: Duration = read_duration("5m")  #: a slower one is a failure


class WebSettings(Table):
    """[web]: the form and the status page."""

    enabled: Flag = False  #: true serves the pages
    listen: ListenOn = Listen("127.0.0.1", 8080)  #: where the pages are served


class MetricsSettings(Table):
    """[metrics]: metrics for Prometheus."""

    listen: OptionalListen = None  #: "127.0.0.1:9464"; "": none


class LmtpSettings(Table):
    """[lmtp]: mail straight from Postfix or Dovecot (docs/operator/lmtp.md)."""

    listen: OptionalEndpoint = None  #: "127.0.0.1:2424" or "unix:/run/mailbot/lmtp.sock"; "": disabled
    allow_insecure: Flag = False  #: true allows an address that other machines reach: LMTP has no log-in


class LogSettings(Table):
    """[log]: the log on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"  #: "debug", "info", "warning", "error"
    #: "auto": text on a terminal, JSON lines elsewhere; or "text", "json"
    format: Literal["auto", "text", "json"] = "auto"


class Settings(BaseSettings):
    """The whole configuration, made by `load_settings` or, in a demo or test, by `Settings(helpdesk={…}, …)`."""

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
        """Use only what is passed in: `config.load` reads the layers itself, to report where a wrong value is."""
        return (init_settings,)

    @property
    def config_file(self) -> Path | None:
        """The file that these settings were read from."""
        return self._config_file

    @property
    def mailboxes(self) -> tuple[MailboxSettings, ...]:
        """Every inbox that is read, completed: the [[mailbox]]es, or without any that of [imap], named ""."""
        if not self.mailbox:
            return (MailboxSettings.model_construct(name="").completed(self.imap),)
        return tuple(box.completed(self.imap) for box in self.mailbox)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address of the desk and of its mailboxes; it writes from the first by default."""
        return tuple(dict.fromkeys((*self.helpdesk.addresses, *(box.address for box in self.mailbox if box.address))))

    @property
    def database_url(self) -> str:
        """The database's URL for SQLAlchemy: the given one, or mailbot.db in the data folder."""
        return (
            self.storage.database_url.get_secret_value() or f"sqlite:///{self.storage.data_dir.absolute()}/mailbot.db"
        )
