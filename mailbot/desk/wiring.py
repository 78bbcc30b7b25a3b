"""Wiring: settings in, a desk that is ready out. The one place that knows which class gets which.

`open_desk` opens the database, upgrades its schema, makes or reads the key of the reply tokens, and builds the
`Helpdesk`. It reads no mail and opens no connection to a mail server, and contains no rule of the desk.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from mailbot.config.dkim_keys import read_dkim_keys
from mailbot.config.holidays import service_hours
from mailbot.config.keyring import Keyring, KeyWatch, make_key_file, read_keyring, remove_drafts
from mailbot.config.model import InboundSettings, Settings
from mailbot.config.values import Rate
from mailbot.desk.helpdesk import DeskParts, Helpdesk
from mailbot.desk.inbound.attachment_screening import AttachmentScreening
from mailbot.desk.inbound.crash_guard import InFlightMarker
from mailbot.desk.outbound.delivery import Delivery, DeliverySettings
from mailbot.desk.outbound.notifications import Notifications
from mailbot.desk.outbound.templates import Renderer, RenderSettings
from mailbot.desk.profile import DeskProfile, Inbox
from mailbot.desk.views import DeskView
from mailbot.mail.attachments.policy import Refusals
from mailbot.mail.classify.facts import OwnIdentity
from mailbot.mail.reply_token import Signer
from mailbot.runtime.clock import Clock, SystemClock
from mailbot.runtime.logs import SharedOutage
from mailbot.store import schema
from mailbot.store.cluster.worker_name import WorkerName
from mailbot.store.engine import LOCK_WAIT_SECONDS, Store, StoreOptions
from mailbot.ticket.auto_reply_limits import Limits, Quota
from mailbot.ticket.ticket import Agent, Policy, Status

log = logging.getLogger(__name__)

KEY_FILE = "secret.key"
TEMPLATE_CACHE = "template-cache"


class Desk:
    """One desk, open. Use it in a `with`, or `close()` it."""

    def __init__(self, settings: Settings, store: Store, clock: Clock, *, exclusive: bool = False) -> None:
        self.store = store
        self._is_daemon = exclusive
        self.clock = clock
        self.storage_outage = SharedOutage(log, "storage", SystemClock())
        # the name of a worker outlives it, so that its successor continues at once what it had claimed
        self._name = WorkerName(settings.storage.data_dir) if exclusive and not store.is_sqlite else None
        self.owner = self._name.name if self._name else secrets.token_hex(8)
        name = "in-hand" if self._name is None else f"in-hand-{self.owner}"
        self._marker = InFlightMarker(settings.storage.data_dir / name, name)
        self.configure(settings)

    def configure(self, settings: Settings) -> None:
        """Build what follows from the settings, also after a reload. Raises ConfigError, and then changes nothing."""
        policy = make_policy(settings)
        cache = settings.storage.data_dir / TEMPLATE_CACHE
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        renderer = make_renderer(settings, policy, cache=cache)
        renderer.check()
        ring = read_keys(settings)
        profile = make_profile(settings, ring, self.clock.now())
        mailboxes = tuple(self.store.mailbox_id(box.folder_id) for box in settings.mailboxes)
        profile = replace(profile, mailboxes=mailboxes, inboxes=self._inboxes(settings))
        helpdesk = Helpdesk(
            DeskParts(
                store=self.store,
                profile=profile,
                policy=policy,
                notifications=Notifications(renderer, lambda: secrets.token_hex(10)),
                own=own_identity(settings, profile.instance_id),
                marker=self._marker,
                screening=make_screening(settings, self.clock),
            )
        )
        sending = DeliverySettings(
            self.owner, settings.smtp.max_per_minute, self.store.sent_journal(), settings.storage.data_dir
        )
        delivery = Delivery(self.store, profile, helpdesk.context_of, sending)
        keys = KeyWatch(key_path(settings), ring, self.clock.now())
        if self._is_daemon:  # a command may be run with another file, which must not remove the whole team
            _remove_drafts(key_path(settings))
            helpdesk.record_agents()
        # nothing fails from here on
        self.settings, self.keys, self.renderer = settings, keys, renderer
        self.helpdesk, self.delivery = helpdesk, delivery

    def _inboxes(self, settings: Settings) -> dict[int, Inbox]:
        """Return the mailboxes that have an address or a program of their own, by the id of their row."""
        return {
            self.store.mailbox_id(box.folder_id): Inbox(box.address or settings.helpdesk.address, box.program)
            for box in settings.mailboxes
            if box.address or box.program
        }

    def close(self) -> None:
        """Close the database and release its lock."""
        self.store.close()
        if self._name is not None:
            self._name.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _remove_drafts(key_file: Path) -> None:
    try:
        removed = remove_drafts(key_file)
    except OSError as error:  # a folder that only root may write
        log.debug("%s: drafts beside it could not be removed: %s", key_file, error.strerror)
        return
    if removed:
        log.info("%s: removed %d unfinished drafts of a process that was killed", key_file, removed)


def open_desk(settings: Settings, *, clock: Clock | None = None, exclusive: bool = False, durable: bool = True) -> Desk:
    """Open a desk. `exclusive`: for the daemon; raises DeskInUse where another daemon has this SQLite desk.

    `durable` False: for a desk that is thrown away.
    """
    clock = clock or SystemClock()
    store = open_store(settings, clock, durable=durable)
    try:
        if exclusive:
            store.lock_exclusively()
        schema.upgrade(store)
        return Desk(settings, store, clock, exclusive=exclusive)
    except BaseException:
        store.close()
        raise


def open_store(
    settings: Settings, clock: Clock, *, durable: bool = True, lock_wait: float = LOCK_WAIT_SECONDS
) -> Store:
    """Open the database alone, its schema untouched."""
    return Store(
        settings.storage.database_url.get_secret_value(),
        clock=clock,
        data_dir=settings.storage.data_dir,
        options=StoreOptions(
            first_ticket_number=settings.helpdesk.first_ticket_number, durable=durable, lock_wait=lock_wait
        ),
    )


def make_renderer(settings: Settings, policy: Policy | None = None, *, cache: Path | None = None) -> Renderer:
    """Return the templates of these settings. `cache`: a private folder where they outlast the process, compiled."""
    policy = policy or make_policy(settings)
    helpdesk = settings.helpdesk
    said = RenderSettings(
        zone=helpdesk.zone,
        desk=DeskView(helpdesk.name, helpdesk.brand, helpdesk.address, helpdesk.status_page),
        hours=policy.hours,
        has_holidays=bool(settings.hours.holidays or settings.hours.extra_holidays),
        auto_close=policy.auto_close,
        service_clock=policy.service_clock,
    )
    return Renderer(said, helpdesk.templates_dir, cache=cache)


def make_screening(settings: Settings, clock: Clock) -> AttachmentScreening:
    """Return what screens files, with the virus scanner where one is configured."""
    wanted = settings.attachments
    kinds = frozenset(word for word in wanted.refuse if not word.startswith("."))
    refusals = Refusals(
        kinds=kinds,
        extensions=frozenset(word[1:] for word in wanted.refuse if word.startswith(".")),
        allowed=frozenset(word[1:] for word in wanted.allow),
    )
    scanner = None
    if wanted.clamd:
        from mailbot.transport.clamd import Clamd

        scanner = Clamd(wanted.clamd, wanted.clamd_timeout.total_seconds())
    return AttachmentScreening(refusals, clock, scanner, wanted.clamd_down)


def own_identity(settings: Settings, instance_id: str) -> OwnIdentity:
    """Return how the desk recognises its own mail. `instance_id`: that of its profile."""
    return OwnIdentity(
        addresses=frozenset(settings.addresses),
        instance_id=instance_id,
        trusted_authserv_ids=settings.inbound.trusted_authserv_ids,
    )


def make_policy(settings: Settings) -> Policy:
    """Return what decisions depend on; the agents are those of the configuration."""
    return Policy(
        hours=service_hours(settings.hours, settings.helpdesk.timezone),
        agents=tuple(Agent(a.email, a.name, a.aliases, a.role, a.programs) for a in settings.agents),
        reminders=settings.timers.reminders,
        auto_close=settings.timers.auto_close,
        service_clock=settings.timers.clock == "service",
        after_reply=Status(settings.agent_mail.after_reply),
        notify=settings.agent_mail.notify,
        thanks_open_follow_up=settings.follow_up.on_thanks == "follow_up",
        own_addresses=settings.addresses,
    )


def make_limits(inbound: InboundSettings) -> Limits:
    """Return the limits on automatic mail."""
    return Limits(
        sender=_limit(inbound.max_auto_replies_per_sender),
        ticket=_limit(inbound.max_auto_replies_per_ticket),
        domain=_limit(inbound.max_auto_replies_per_domain),
        alike=_limit(inbound.max_auto_replies_alike),
        overall=_limit(inbound.max_auto_replies),
        notifications=_limit(inbound.max_notifications_per_ticket),
    )


def _limit(rate: Rate) -> Quota:
    return Quota(rate.count, rate.per)


def make_profile(settings: Settings, ring: Keyring, now: datetime) -> DeskProfile:
    """Return the desk of these settings; the keys that are valid `now` sign and check its reply addresses."""
    helpdesk, inbound = settings.helpdesk, settings.inbound
    return DeskProfile(
        name=helpdesk.name,
        brand=helpdesk.brand,
        address=helpdesk.address,
        zone=helpdesk.zone,
        signer=Signer(ring.accepted(now)),
        instance_id=ring.instance_id,
        aliases=settings.addresses[1:],
        language=helpdesk.language,
        status_page=helpdesk.status_page,
        plus_addressing=helpdesk.plus_addressing,
        trust=settings.agent_mail.trust,
        trusted_authserv_ids=inbound.trusted_authserv_ids,
        dkim_keys=read_dkim_keys(settings.agent_mail.dkim_keys),
        max_size=inbound.max_size,
        limits=make_limits(inbound),
        shared_domains=inbound.shared_domains,
        retry_for=settings.smtp.retry_for,
    )


def key_path(settings: Settings) -> Path:
    """Return where the keys of the reply tokens are."""
    return settings.helpdesk.secret_file or settings.storage.data_dir / KEY_FILE


def read_keys(settings: Settings) -> Keyring:
    """Return the keys of the reply tokens: those of [helpdesk] secret_file, else those made once in data_dir."""
    path = key_path(settings)
    if settings.helpdesk.secret_file is None and not path.exists():
        make_key_file(path)
    return read_keyring(path)
