"""The desk's pen: which mails an effect of a decision asks for, in which words, to whom; each reader gets their own.

In: the turn, the ticket as it now stands, one effect, the words behind it. Out: an `Notification` for each reader, given to
`posting`, which composes and queues it in the same transaction. Nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mailbot.desk.context import (
    Context,
    IncomingMail,
    Words,
)
from mailbot.desk.outbound import visibility
from mailbot.desk.outbound.auto_reply_guard import is_digested, may_ask
from mailbot.desk.outbound.queueing import Notification, OutboxWriter
from mailbot.desk.outbound.templates import Renderer
from mailbot.desk.outbound.visibility import visible_to
from mailbot.desk.views import (
    EntryView,
    FaultView,
    FileView,
    HeldView,
    PersonView,
)
from mailbot.mail.message import Address, MessageKind
from mailbot.mail.subject import clean_subject
from mailbot.mail.untrusted_text import safe_title
from mailbot.store.unit_of_work import StoredTicket
from mailbot.ticket.auto_reply_limits import Limit
from mailbot.ticket.command_parser import CommandError
from mailbot.ticket.events import (
    Acknowledge,
    Effect,
    Notify,
    SendAnswer,
    SendClosure,
    SendHelp,
    SendNotice,
    SendReminder,
    Topic,
)
from mailbot.ticket.ticket import (
    Agent,
    CloseReason,
    Role,
)


class Notifications:
    """Writes the desk's mail. `new_id` gives a fresh unguessable string of [a-z0-9] for each Message-ID."""

    def __init__(self, renderer: Renderer, new_id: Callable[[], str]) -> None:
        self._posting = OutboxWriter(renderer, new_id)

    def carry(self, turn: Context, loaded: StoredTicket, effect: Effect, source: Words | None) -> None:
        """Turn one effect into mail."""
        if isinstance(effect, Acknowledge):
            self._acknowledge(turn, loaded, effect, source)
        elif isinstance(effect, Notify):
            self._notify(turn, loaded, effect, source)
        elif isinstance(effect, SendAnswer):
            self._answer(turn, loaded, effect, source)
        elif isinstance(effect, SendReminder):
            self._remind(turn, loaded, effect)
        elif isinstance(effect, SendClosure):
            self._close(turn, loaded, effect, source)
        elif isinstance(effect, SendNotice):
            self._notice(turn, loaded, effect, source)
        elif isinstance(effect, SendHelp):
            self._posting.to_agent(turn, loaded, effect.to, "agent/help", {}, source.mail if source else None)
        else:
            raise TypeError(f"{type(effect).__name__} is no mail")

    # To requesters and participants

    def _acknowledge(self, turn: Context, loaded: StoredTicket, effect: Acknowledge, source: Words | None) -> None:
        template = "requester/acknowledgement"
        if effect.follow_up_of is not None:
            template += "_follow_up"
        elif effect.opens_at is not None:
            template += "_out_of_hours"
        # no names: an acknowledgement has no strange text
        held = len(source.mail.held) if source and source.mail else 0
        envelopes = [
            Notification(
                MessageKind.ACKNOWLEDGEMENT, to, template, {"opens_at": effect.opens_at, "held_files": held},
                loaded.ticket.language, auto_submitted="auto-replied",
            )
            for to in effect.to
        ]  # fmt: skip
        self._posting.send(turn, loaded, envelopes, source)

    def _answer(self, turn: Context, loaded: StoredTicket, effect: SendAnswer, source: Words | None) -> None:
        assert source is not None
        name = visibility.agent_name(turn, effect.agent)
        context = {
            "words": source.words, "agent_name": name, "attachment_names": tuple(a.name for a in source.attachments)
        }  # fmt: skip
        self._to_people(
            turn, loaded, MessageKind.ANSWER, "requester/answer", context, effect.to, source, name, effect.cycle
        )

    def _close(self, turn: Context, loaded: StoredTicket, effect: SendClosure, source: Words | None) -> None:
        template = "requester/closure_no_reply" if effect.reason is CloseReason.NO_REPLY else "requester/closure_solved"
        spoken = source if effect.with_words else None
        name = visibility.agent_name(turn, effect.agent) if spoken else ""
        context = {
            "words": spoken.words if spoken else "", "agent_name": name,
            "attachment_names": tuple(a.name for a in spoken.attachments) if spoken else (),
        }  # fmt: skip
        self._to_people(turn, loaded, MessageKind.CLOSURE, template, context, effect.to, spoken, name, 0)

    def _to_people(
        self,
        turn: Context,
        loaded: StoredTicket,
        kind: MessageKind,
        template: str,
        context: Mapping[str, object],
        people: Sequence[Address],
        source: Words | None,
        agent_name: str,
        cycle: int,
    ) -> None:
        """A copy of its own to each; Cc shows whom the requester had in Cc (contract.md)."""
        is_hidden = loaded.ticket.is_hidden
        visible = tuple(a for a in people if not is_hidden(a.email))
        envelopes = [
            Notification(
                kind, to, template, context, loaded.ticket.language,
                auto_submitted="" if source else "auto-generated",
                from_name=agent_name,
                cc=() if is_hidden(to.email) else tuple(a for a in visible if a.email != to.email),
                attachments=source.attachments if source else (),
                cycle=cycle if to.email == loaded.ticket.requester.email else 0,  # one copy starts the timers
            )
            for to in people
        ]  # fmt: skip
        self._posting.send(turn, loaded, envelopes, source)

    def _remind(self, turn: Context, loaded: StoredTicket, effect: SendReminder) -> None:
        asked = next((m for m in reversed(turn.work.messages(loaded.id)) if m.kind == "answer"), None)
        context = {
            "closes_at": effect.closes_at,
            "agent_name": visibility.agent_name(turn, asked.author) if asked else "",
            "words": asked.text if asked else "",
        }
        template = "requester/reminder_2" if effect.last else "requester/reminder_1"
        envelopes = [
            Notification(
                MessageKind.REMINDER, to, template, context, loaded.ticket.language, "auto-generated",
                cycle=effect.cycle, step=effect.step,
            )
            for to in effect.to
        ]  # fmt: skip
        self._posting.send(turn, loaded, envelopes, None)

    def status(self, turn: Context, loaded: StoredTicket, mail: IncomingMail) -> None:
        """Answer a status request of somebody who takes part."""
        rows = turn.work.messages(loaded.id)
        spoken = [m.at for m in rows if m.public and m.kind in ("answer", "closure", "reply")]
        seen = visible_to(turn, loaded.ticket, mail.message.from_address)
        view = visibility.view(turn, seen, last_answer_at=max(spoken, default=None))
        envelope = Notification(
            MessageKind.STATUS, mail.message.from_address, "requester/status", {"ticket": view},
            loaded.ticket.language, "auto-replied",
        )  # fmt: skip
        self._posting.post(turn, loaded, envelope, mail, None)

    def status_unknown(self, turn: Context, number: int, mail: IncomingMail) -> None:
        """The number and the address don't belong together; whether the number exists is not said."""
        envelope = Notification(
            MessageKind.STATUS, mail.message.from_address, "requester/status_unknown", {"number": number},
            turn.profile.language, "auto-replied",
        )  # fmt: skip
        self._posting.post(turn, None, envelope, mail, None)

    def too_large(self, turn: Context, mail: IncomingMail) -> None:
        """Tell the sender of an oversize mail the limit and what to do."""
        context = {
            "limit": turn.profile.max_size,
            "size": mail.message.size,
            "mail_subject": safe_title(clean_subject(mail.message.subject), turn.profile.language),
        }  # fmt: skip
        envelope = Notification(
            MessageKind.NOTICE, mail.message.from_address, "requester/oversize", context,
            turn.profile.language, "auto-replied",
        )  # fmt: skip
        self._posting.post(turn, None, envelope, mail, None)

    # To agents

    def tell(
        self, turn: Context, loaded: StoredTicket | None, to: Sequence[str], topic: Topic, facts: Mapping[str, str]
    ) -> None:
        """A notice to these agents that no mail of theirs and no decision asked for."""
        self._posting.tell(turn, loaded, to, topic, facts)

    def _notify(self, turn: Context, loaded: StoredTicket, effect: Notify, source: Words | None) -> None:
        assert source is not None
        ticket = loaded.ticket
        is_new = source.mail is None or loaded.root == source.message_id
        if is_digested(turn, loaded, is_new=is_new):
            return
        event = "reply" if not is_new else "follow_up" if ticket.follow_up_of else "report"
        history: tuple[EntryView, ...] = ()
        if event != "report":
            history = visibility.history(turn, loaded, skip_last=True)
        context = {
            "event": event,
            "person": PersonView(source.author.email, source.author.name),
            "words": source.words,
            "attachments": tuple(FileView(a.name, a.size) for a in source.attachments),
            "held": tuple(HeldView(h.to_blame, h.kind) for h in (source.mail.held if source.mail else ())),
            "history": history,
            "elsewhere": effect.elsewhere,
            "named": effect.named,
        }
        envelopes = [
            Notification(
                MessageKind.NOTIFICATION, visibility.agent_address(turn, email), "agent/notification", context,
                turn.profile.language, "auto-generated", attachments=source.attachments,
                from_name=visibility.person_name(turn, source.author),
            )
            for email in effect.to
        ]  # fmt: skip
        self._posting.send(turn, loaded, envelopes, source)

    def _notice(self, turn: Context, loaded: StoredTicket, effect: SendNotice, source: Words | None) -> None:
        facts = dict(effect.facts)
        if "actor" in facts:
            actor = turn.policy.agent(facts["actor"])
            facts["actor"] = actor.name if actor else facts["actor"]
        facts["words"] = source.words if source and source.role is Role.AGENT else ""
        wants_history = effect.topic in (Topic.ASSIGNED, Topic.MERGED)
        context = {
            "topic": effect.topic.value,
            "facts": facts,
            "history": visibility.history(turn, loaded, skip_last=False) if wants_history else (),
        }
        mail = source.mail if source and source.author.email in effect.to else None
        for email in effect.to:
            self._posting.to_agent(turn, loaded, email, "agent/notice", context, mail)

    def refuse(
        self,
        turn: Context,
        loaded: StoredTicket | None,
        mail: IncomingMail,
        agent: Agent,
        errors: Sequence[CommandError],
    ) -> None:
        """Tell an agent that nothing of their mail was carried out: which line, why, what is possible."""
        faults = tuple(FaultView(e.fault.value, e.line, e.line_number, e.found, e.possible) for e in errors)
        context = {"errors": faults, "words": mail.message.text}
        self._posting.to_agent(turn, loaded, agent.email, "agent/error", context, mail)

    def ask_to_confirm(self, turn: Context, mail: IncomingMail, agent: Agent) -> bool:
        """Ask an agent, at their known address, whether a mail in their name is theirs; False: asked too often."""
        if not may_ask(turn, agent.email):
            self._posting.withhold(turn, Limit.CONFIRM, None, agent.email)
            return False
        context = {"mail_subject": clean_subject(mail.message.subject), "words": mail.message.text[:2000]}
        envelope = Notification(
            MessageKind.NOTICE, Address(agent.email, agent.name), "agent/confirm", context, turn.profile.language,
            "auto-generated", confirms=mail.inbound_id,
        )  # fmt: skip
        self._posting.post(turn, None, envelope, None, None)
        return True

    def of_quarantine(
        self, turn: Context, email: str, template: str, context: Mapping[str, object], list_id: int | None,
        mail: IncomingMail | None = None,
    ) -> None:  # fmt: skip
        """Tell a lead of the quarantine; an answer gives orders on this list."""
        envelope = Notification(
            MessageKind.NOTICE, visibility.agent_address(turn, email), template, context, turn.profile.language,
            "auto-replied" if mail else "auto-generated", quarantine_list=list_id,
        )  # fmt: skip
        self._posting.post(turn, None, envelope, mail, None)
