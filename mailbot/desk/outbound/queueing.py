"""One mail into the outbox: rendered, signed for its reader, threaded after what they have, limited, queued.

In: a case, a `Notification`. Out: an outbox row with the composed text and a fixed Message-ID, in the case's
transaction. Nothing is sent here. No reader sees anybody else's private address or token. Which mails there are to
write is decided by `notifications`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mailbot.desk.context import Case, Context
from mailbot.desk.outbound import visibility
from mailbot.desk.outbound.auto_reply_guard import exceeded_limit, is_first_withheld
from mailbot.desk.outbound.templates import Rendered, Renderer
from mailbot.desk.outbound.visibility import visible_to
from mailbot.desk.views import DeskView, PersonView
from mailbot.mail.compose.composer import Draft, compose
from mailbot.mail.message import Address, Attachment, MessageKind
from mailbot.mail.reply_token import Purpose, Token
from mailbot.mail.untrusted_text import safe_name
from mailbot.store.tickets import StoredTicket
from mailbot.ticket.auto_reply_limits import Limit
from mailbot.ticket.events import Topic
from mailbot.ticket.ticket import Role, Ticket
from mailbot.vocabulary.labels import WITHHELD_AUTO_REPLY

# The order in which a backlog goes out, the least first: an agent's words before the desk's own.
TURN = {MessageKind.ANSWER: -20, MessageKind.CLOSURE: -15, MessageKind.ACKNOWLEDGEMENT: -10, MessageKind.STATUS: -10}


@dataclass(frozen=True)
class Notification:
    """One mail before it is composed."""

    kind: MessageKind
    to: Address
    template: str
    variables: Mapping[str, object]  #: of the template
    language: str
    auto_submitted: str = ""  #: RFC 3834 §5; "" for a person's words
    from_name: str = ""  #: "" for the desk's own
    cc: tuple[Address, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    cycle: int = 0  #: of the request for information whose timers its delivery starts
    step: int = 0  #: of the reminder
    confirms: int | None = None  #: the inbound mail that an answer confirms
    quarantine_list: int | None = None  #: the list that an answer gives commands on
    to_requester: bool = False  #: a notice that is not for an agent

    @property
    def is_for_agent(self) -> bool:
        """Whether its reader is one of the desk's own people, who see agents' addresses and each other's notes."""
        return self.kind in (MessageKind.NOTIFICATION, MessageKind.NOTICE) and not self.to_requester


class OutboxWriter:
    """Queues the desk's mail. `new_id` gives a fresh unguessable string of [a-z0-9] for each Message-ID."""

    def __init__(self, renderer: Renderer, new_id: Callable[[], str]) -> None:
        self._renderer = renderer
        self._new_id = new_id

    def send(self, case: Case, notifications: Sequence[Notification]) -> None:
        """Record the message once, queue a copy for each reader."""
        if not notifications:
            return
        first, profile = notifications[0], case.context.profile
        message_row_id = None
        if first.kind is not MessageKind.ANSWER:  # an answer is recorded as the agent wrote it
            says_words = case.words and case.words.role is Role.AGENT and first.kind is MessageKind.CLOSURE
            message_row_id = case.context.work.add_message(
                case.stored.id, direction="out", kind=first.kind.value, author=profile.at(case.mailbox_id).address,
                author_name=profile.name, author_role=Role.SYSTEM.value, public=not first.is_for_agent,
                subject=visibility.subject_line(case.stored.ticket),
                text=case.words.text if case.words and says_words else "",
            )  # fmt: skip
        # agents read the same words: rendered once for all of them
        rendered = self._rendered(case, first) if first.is_for_agent else None
        for notification in notifications:
            self.queue(case, notification, message_row_id, rendered)

    def to_agent(self, case: Case, email: str, template: str, variables: Mapping[str, object]) -> None:
        """Queue a notice to one agent; it answers the mail of the case, if there is one."""
        notice = Notification(
            MessageKind.NOTICE, visibility.agent_address(case.context, email), template, variables,
            case.context.profile.language, "auto-replied" if case.mail else "auto-generated",
        )  # fmt: skip
        self.queue(case, notice)

    def notify(
        self,
        context: Context,
        ticket: StoredTicket | None,
        to: Sequence[str],
        topic: Topic,
        facts: Mapping[str, str],
    ) -> None:
        """Queue a notice to these agents that no mail of theirs and no decision asked for."""
        variables = {"topic": topic.value, "facts": facts, "history": ()}
        for email in to:
            self.to_agent(Case(context, ticket), email, "agent/notice", variables)

    def queue(
        self,
        case: Case,
        notification: Notification,
        message_row_id: int | None = None,
        rendered: Rendered | None = None,
    ) -> None:
        """Queue one copy, unless a limit on automatic mail stops it; it answers the mail of the case, if any."""
        is_agent = notification.is_for_agent
        if notification.auto_submitted and not is_agent and not self._is_within_limits(case, notification):
            return
        context, mail = case.context, case.mail
        profile = context.profile.at(case.mailbox_id)
        rendered = rendered or self._rendered(case, notification)
        token = _token(case, notification)
        unique = self._new_id()
        message_id = f"<{token}.{unique}@{profile.domain}>" if token else f"<{unique}@{profile.domain}>"
        draft = self._draft(case, notification, rendered, token, message_id)
        context.work.enqueue(
            {
                "mailbox_id": case.mailbox_id,
                "ticket_id": case.ticket.id if case.ticket else None,
                "message_row_id": message_row_id,
                "inbound_id": mail.inbound_id if mail else None,
                "kind": notification.kind.value,
                "recipient": notification.to.email,
                "role": "agent" if is_agent else "person",
                "message_id": message_id,
                "subject": rendered.subject,
                "text": rendered.text,
                "raw": compose(draft),
                "attachments": _files(case, notification),
                "automatic": bool(notification.auto_submitted),
                "cycle": notification.cycle,
                "step": notification.step,
                "turn": TURN.get(notification.kind, 0),
                "expires_at": context.work.now + context.profile.retry_for,
            }
        )

    def _draft(
        self, case: Case, notification: Notification, rendered: Rendered, token: Token | None, message_id: str
    ) -> Draft:
        context, stored, to = case.context, case.ticket, notification.to
        profile = context.profile.at(case.mailbox_id)
        references = _references(case, notification)
        return Draft(
            kind=notification.kind,
            from_name=notification.from_name or profile.name,
            from_email=profile.address,
            to=to if notification.is_for_agent else Address(to.email, safe_name(to.name)),
            cc=notification.cc,
            reply_to=profile.reply_address(token) if token else profile.address,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            message_id=message_id,
            in_reply_to=references[-1] if references else "",
            references=tuple(references),
            ticket_number=stored.ticket.number if stored else None,
            auto_submitted=notification.auto_submitted,  # type: ignore[arg-type]
            date=context.work.now.astimezone(profile.zone),
            instance_id=profile.instance_id,
            thread_topic=visibility.subject_line(_seen(case, notification)) if stored else rendered.subject,
            thread_root=f"{profile.instance_id}/{stored.ticket.number}" if stored else message_id,
            thread_started=stored.ticket.created_at if stored else None,
        )

    def _rendered(self, case: Case, notification: Notification) -> Rendered:
        context, to = case.context, notification.to
        profile = context.profile.at(case.mailbox_id)
        variables = dict(notification.variables)
        if profile is not context.profile:
            variables["desk"] = DeskView(profile.name, profile.brand, profile.address, profile.status_page)
        variables.setdefault("person", PersonView(to.email, to.name))
        if case.ticket is not None:
            variables.setdefault("ticket", visibility.view(context, _seen(case, notification)))
            if not notification.is_for_agent and variables.get("words"):
                words = str(variables["words"])
                variables["words"] = visibility.redact_for(context, case.ticket.ticket, to, words)
            if profile.status_page and not notification.is_for_agent:
                variables["desk"] = visibility.desk_with_link(profile, case.ticket.ticket, to)
        return self._renderer.render(notification.template, notification.language, variables)

    def _is_within_limits(self, case: Case, notification: Notification) -> bool:
        """Count the mail against the limits on automatic mail; past one, record it as withheld instead."""
        limit = exceeded_limit(case, notification.kind, notification.to.email)
        if limit is None:
            return True
        context = case.context
        context.work.enqueue(
            {
                "mailbox_id": 0, "ticket_id": case.ticket.id if case.ticket else None,
                "kind": notification.kind.value, "recipient": notification.to.email, "role": "person",
                "message_id": f"<{self._new_id()}@{context.profile.domain}>", "raw": b"", "automatic": True,
                "state": "suppressed", "expires_at": context.work.now,
                "last_error": f"not sent: {WITHHELD_AUTO_REPLY[limit]}",
            }
        )  # fmt: skip
        self.withhold(case, limit, notification.to.email)
        return False

    def withhold(self, case: Case, limit: Limit, recipient: str) -> None:
        """Record a mail that is not sent; notify the leads if it is the first in this limit's window."""
        if is_first_withheld(case, limit):
            context = case.context
            count = str(context.profile.limits.of(limit).count)
            facts = {"recipient": recipient, "limit": count, "cap": limit.value}
            self.notify(context, None, context.policy.leads, Topic.SENDER_LIMIT, facts)


def _seen(case: Case, notification: Notification) -> Ticket:
    """Return the ticket as the reader may see it."""
    ticket = case.stored.ticket
    return ticket if notification.is_for_agent else visible_to(case.context, ticket, notification.to)


def _token(case: Case, notification: Notification) -> Token | None:
    signer, to = case.context.profile.signer, notification.to.email
    agent = case.context.policy.agent(to) if notification.is_for_agent else None
    person = agent.signs_as if agent else to
    if notification.confirms is not None:
        return signer.sign(Purpose.CONFIRM, notification.confirms, person)
    if notification.quarantine_list is not None:
        return signer.sign(Purpose.QUARANTINE, notification.quarantine_list, person)
    if case.ticket is None:
        return None
    purpose = Purpose.AGENT if notification.is_for_agent else Purpose.REQUESTER
    return signer.sign(purpose, case.ticket.ticket.number, person)


def _references(case: Case, notification: Notification) -> list[str]:
    """Return References of the reader's own thread (RFC 5322 §3.6.4): the first mail that they have, and the latest."""
    mail, stored, to = case.mail, case.ticket, notification.to.email
    answered = mail.message.message_id if mail and mail.message.from_addr == to else ""
    if stored is None or (mail is not None and stored.root and stored.root == mail.message.message_id):
        return [answered] if answered else []  # the ticket is new: there is nothing else yet
    hidden = [p.email for p in stored.ticket.participants if not p.visible]
    alone = notification.is_for_agent or to in hidden  # nobody else's Message-ID, which names their mail server
    chain = case.context.work.thread(stored.id, to, alone=alone, unseen=hidden)
    if stored.root and not alone and not hidden and stored.root not in chain:
        chain.insert(0, stored.root)
    if answered:
        chain = [reference for reference in chain if reference != answered] + [answered]
    return chain if len(chain) <= 10 else [chain[0], *chain[-9:]]


def _files(case: Case, notification: Notification) -> list[dict[str, Any]]:
    """Return which files go with the mail: named by the raw mail that they came in and their digest, not copied."""
    if case.words is None or case.mail is None:
        return []
    raw = case.mail.raw_sha256
    return [{"raw": raw, "sha256": a.sha256, "name": a.name, "size": a.size} for a in notification.attachments]
