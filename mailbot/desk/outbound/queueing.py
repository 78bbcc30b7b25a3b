"""One mail into the outbox: rendered, signed for its reader, threaded after what they have, capped, queued.

In: the turn, the ticket, an `Notification`. Out: an outbox row with the composed text and a fixed Message-ID, in the turn's
transaction. Nothing is sent here. No reader sees anybody else's private address or token. Which mails there are to
write is `correspondence`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mailbot.desk.context import (
    Context,
    IncomingMail,
    Words,
)
from mailbot.desk.outbound import visibility
from mailbot.desk.outbound.auto_reply_guard import exceeded_limit, withhold
from mailbot.desk.outbound.templates import Rendered, Renderer
from mailbot.desk.outbound.visibility import visible_to
from mailbot.desk.profile import DeskProfile
from mailbot.desk.views import DeskView, PersonView
from mailbot.mail.compose.composer import Draft, compose
from mailbot.mail.message import Address, Attachment, MessageKind
from mailbot.mail.reply_token import Purpose
from mailbot.mail.untrusted_text import safe_name
from mailbot.store.unit_of_work import StoredTicket
from mailbot.ticket.auto_reply_limits import Limit
from mailbot.ticket.events import Topic
from mailbot.ticket.ticket import Role
from mailbot.vocabulary.labels import WITHHELD_AUTO_REPLY

# Whose turn it is when a queue has formed, the least first: an agent's words before the desk's own.
TURN = {MessageKind.ANSWER: -20, MessageKind.CLOSURE: -15, MessageKind.ACKNOWLEDGEMENT: -10, MessageKind.STATUS: -10}


@dataclass(frozen=True)
class Notification:
    """One mail before it is composed: to whom, which template, what it stands for."""

    kind: MessageKind
    to: Address
    template: str
    context: Mapping[str, object]
    language: str
    auto_submitted: str = ""
    from_name: str = ""
    cc: tuple[Address, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    cycle: int = 0
    step: int = 0
    confirms: int | None = None
    quarantine_list: int | None = None


class OutboxWriter:
    """Queues the desk's mail. `new_id` gives a fresh unguessable string of [a-z0-9] for each Message-ID."""

    def __init__(self, renderer: Renderer, new_id: Callable[[], str]) -> None:
        self._renderer = renderer
        self._new_id = new_id

    def send(
        self, turn: Context, loaded: StoredTicket, envelopes: Sequence[Notification], source: Words | None
    ) -> None:
        """Record the message once, queue a copy for each reader."""
        if not envelopes:
            return
        first = envelopes[0]
        agents_only = first.kind is MessageKind.NOTIFICATION
        carries_words = source is not None and source.role is Role.AGENT
        message_row_id = None
        if first.kind is not MessageKind.ANSWER:  # an answer is on record as the agent wrote it
            message_row_id = turn.work.add_message(
                loaded.id, direction="out", kind=first.kind.value, author=turn.profile.at(loaded.mailbox_id).address,
                author_name=turn.profile.name, author_role=Role.SYSTEM.value, public=not agents_only,
                subject=visibility.subject_line(loaded.ticket),
                text=source.words if carries_words and source and first.kind is MessageKind.CLOSURE else "",
            )  # fmt: skip
        mail = source.mail if source else None
        # agents read the same words: rendered once, whoever of them gets a copy
        rendered = self._rendered(turn, loaded, first, turn.profile.at(loaded.mailbox_id)) if agents_only else None
        for envelope in envelopes:
            self.post(turn, loaded, envelope, mail, source, message_row_id, rendered)

    def to_agent(
        self,
        turn: Context,
        loaded: StoredTicket | None,
        email: str,
        template: str,
        context: Mapping[str, object],
        mail: IncomingMail | None,
    ) -> None:
        """A notice to one agent; `mail` is theirs where it answers one."""
        envelope = Notification(
            MessageKind.NOTICE, visibility.agent_address(turn, email), template, context, turn.profile.language,
            "auto-replied" if mail else "auto-generated",
        )  # fmt: skip
        self.post(turn, loaded, envelope, mail, None)

    def tell(
        self, turn: Context, loaded: StoredTicket | None, to: Sequence[str], topic: Topic, facts: Mapping[str, str]
    ) -> None:
        """A notice to these agents that no mail of theirs and no decision asked for."""
        context = {"topic": topic.value, "facts": facts, "history": ()}
        for email in to:
            self.to_agent(turn, loaded, email, "agent/notice", context, None)

    def post(
        self,
        turn: Context,
        loaded: StoredTicket | None,
        envelope: Notification,
        mail: IncomingMail | None,
        source: Words | None,
        message_row_id: int | None = None,
        rendered: Rendered | None = None,
    ) -> None:
        """Queue one copy, unless a cap on automatic mail stops it. `mail` is what it answers, `source` whose words."""
        is_agent = envelope.template.startswith("agent/")
        if envelope.auto_submitted and not is_agent and not self._may_write(turn, loaded, envelope, mail, source):
            return
        mailbox_id = loaded.mailbox_id if loaded else mail.mailbox_id if mail else 0
        profile = turn.profile.at(mailbox_id)
        rendered = rendered or self._rendered(turn, loaded, envelope, profile)
        token = self._token(turn, loaded, envelope, is_agent)
        unique = self._new_id()
        message_id = f"<{token}.{unique}@{profile.domain}>" if token else f"<{unique}@{profile.domain}>"
        references = self._references(turn, loaded, envelope, mail, is_agent)
        draft = Draft(
            kind=envelope.kind,
            from_name=envelope.from_name or turn.profile.name,
            from_email=profile.address,
            to=envelope.to if is_agent else Address(envelope.to.email, safe_name(envelope.to.name)),
            cc=envelope.cc,
            reply_to=profile.reply_address(token) if token else profile.address,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            message_id=message_id,
            in_reply_to=references[-1] if references else "",
            references=tuple(references),
            ticket_number=loaded.ticket.number if loaded else None,
            auto_submitted=envelope.auto_submitted,  # type: ignore[arg-type]
            date=turn.work.now.astimezone(turn.profile.zone),
            instance_id=turn.profile.instance_id,
            thread_topic=self._topic(turn, loaded, envelope, is_agent) if loaded else rendered.subject,
            thread_root=f"{turn.profile.instance_id}/{loaded.ticket.number}" if loaded else message_id,
            thread_started=loaded.ticket.created_at if loaded else None,
        )
        turn.work.enqueue(
            {
                "mailbox_id": mailbox_id,
                "ticket_id": loaded.id if loaded else None,
                "message_row_id": message_row_id,
                "inbound_id": mail.inbound_id if mail else None,
                "kind": envelope.kind.value,
                "recipient": envelope.to.email,
                "role": "agent" if is_agent else "person",
                "message_id": message_id,
                "subject": rendered.subject,
                "text": rendered.text,
                "raw": compose(draft),
                "attachments": self._files(envelope, source),
                "automatic": bool(envelope.auto_submitted),
                "cycle": envelope.cycle,
                "step": envelope.step,
                "turn": TURN.get(envelope.kind, 0),
                "expires_at": turn.work.now + turn.profile.retry_for,
            }
        )

    def _rendered(
        self, turn: Context, loaded: StoredTicket | None, envelope: Notification, profile: DeskProfile
    ) -> Rendered:
        context = dict(envelope.context)
        if profile is not turn.profile:
            context["desk"] = DeskView(profile.name, profile.brand, profile.address, profile.status_page)
        context.setdefault("person", PersonView(envelope.to.email, envelope.to.name))
        if loaded is not None:
            is_agent = envelope.template.startswith("agent/")
            seen = loaded.ticket if is_agent else visible_to(turn, loaded.ticket, envelope.to)
            context.setdefault("ticket", visibility.view(turn, seen))
            if not is_agent and context.get("words"):
                context["words"] = visibility.redact_for(turn, loaded.ticket, envelope.to, str(context["words"]))
            if turn.profile.status_page and not is_agent:
                context["desk"] = visibility.desk_with_link(profile, loaded.ticket, envelope.to)
        return self._renderer.render(envelope.template, envelope.language, context)

    def _may_write(
        self,
        turn: Context,
        loaded: StoredTicket | None,
        envelope: Notification,
        mail: IncomingMail | None,
        source: Words | None,
    ) -> bool:
        """Past a cap on automatic mail (`core.restraint`) there is silence, and one notice to the leads."""
        to = envelope.to.email
        words = source.words if source else mail.message.text if mail else ""
        cap = exceeded_limit(turn, loaded, envelope.kind, to, mail, words or (mail.message.subject if mail else ""))
        if cap is None:
            return True
        turn.work.enqueue(
            {
                "mailbox_id": 0, "ticket_id": loaded.id if loaded else None, "kind": envelope.kind.value,
                "recipient": to, "role": "person", "message_id": f"<{self._new_id()}@{turn.profile.domain}>",
                "raw": b"", "automatic": True, "state": "suppressed", "expires_at": turn.work.now,
                "last_error": f"not sent: {WITHHELD_AUTO_REPLY[cap]}",
            }
        )  # fmt: skip
        self.withhold(turn, cap, loaded, to)
        return False

    def withhold(self, turn: Context, cap: Limit, loaded: StoredTicket | None, recipient: str) -> None:
        """Tell the leads of a cap that was reached, once in a while (`restraint.withhold`)."""
        if withhold(turn, cap, loaded):
            facts = {"recipient": recipient, "limit": str(turn.profile.limits.of(cap).count), "cap": cap.value}
            self.tell(turn, None, turn.policy.leads, Topic.SENDER_LIMIT, facts)

    def _token(self, turn: Context, loaded: StoredTicket | None, envelope: Notification, is_agent: bool) -> Any:
        signer = turn.profile.signer
        agent = turn.policy.agent(envelope.to.email) if is_agent else None
        person = agent.signs_as if agent else envelope.to.email
        if envelope.confirms is not None:
            return signer.sign(Purpose.CONFIRM, envelope.confirms, person)
        if envelope.quarantine_list is not None:
            return signer.sign(Purpose.QUARANTINE, envelope.quarantine_list, person)
        if loaded is None:
            return None
        return signer.sign(Purpose.AGENT if is_agent else Purpose.REQUESTER, loaded.ticket.number, person)

    def _references(
        self,
        turn: Context,
        loaded: StoredTicket | None,
        envelope: Notification,
        mail: IncomingMail | None,
        is_agent: bool,
    ) -> list[str]:
        """RFC 5322 §3.6.4, for the reader's own thread: the first mail that they have, and the latest ones."""
        answered = mail.message.message_id if mail and mail.message.from_addr == envelope.to.email else ""
        if loaded is None or (mail is not None and loaded.root and loaded.root == mail.message.message_id):
            return [answered] if answered else []  # the ticket is new: there is nothing else yet
        hidden = [p.email for p in loaded.ticket.participants if not p.visible]
        alone = is_agent or envelope.to.email in hidden  # nobody else's Message-ID, which names their mail server
        chain = turn.work.thread(loaded.id, envelope.to.email, alone=alone, unseen=hidden)
        if loaded.root and not alone and not hidden and loaded.root not in chain:
            chain.insert(0, loaded.root)
        if answered:
            chain = [reference for reference in chain if reference != answered] + [answered]
        return chain if len(chain) <= 10 else [chain[0], *chain[-9:]]

    def _files(self, envelope: Notification, source: Words | None) -> list[dict[str, Any]]:
        """Which files go with the mail: named by the raw mail that they came in and their digest, not copied."""
        if source is None or source.mail is None:
            return []
        raw = source.mail.raw_sha256
        return [{"raw": raw, "sha256": a.sha256, "name": a.name, "size": a.size} for a in envelope.attachments]

    def _topic(self, turn: Context, loaded: StoredTicket, envelope: Notification, is_agent: bool) -> str:
        return visibility.subject_line(loaded.ticket if is_agent else visible_to(turn, loaded.ticket, envelope.to))
