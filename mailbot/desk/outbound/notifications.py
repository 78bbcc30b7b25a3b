"""Which mails an effect of a decision asks for, in which words, to whom; each reader gets their own.

In: a case with the ticket as it is now and the words behind the effect. Out: a `Notification` for each reader, given to
`queueing`, which composes and queues it in the same transaction. Nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mailbot.desk.context import Case, Context, Words
from mailbot.desk.outbound import visibility
from mailbot.desk.outbound.auto_reply_guard import is_digested, may_ask
from mailbot.desk.outbound.queueing import Notification, OutboxWriter
from mailbot.desk.outbound.templates import Renderer
from mailbot.desk.outbound.visibility import visible_to
from mailbot.desk.views import EntryView, FaultView, FileView, HeldView, OutcomeView, PersonView
from mailbot.mail.message import Address, MessageKind
from mailbot.mail.subject import clean_subject
from mailbot.mail.untrusted_text import safe_title
from mailbot.store.tickets import StoredTicket
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
from mailbot.ticket.ticket import Agent, CloseReason, Role


@dataclass(frozen=True)
class _PublicMail:
    """What is the same for everybody on a ticket who gets an answer or a closure."""

    kind: MessageKind
    template: str
    words: Words | None  #: an agent's, if it has any
    agent_name: str
    cycle: int = 0

    @property
    def variables(self) -> dict[str, object]:
        """The template's variables."""
        return {
            "words": self.words.text if self.words else "",
            "agent_name": self.agent_name,
            "attachment_names": tuple(a.name for a in self.words.attachments) if self.words else (),
        }


class Notifications:
    """Writes the desk's mail. `new_id` gives a fresh unguessable string of [a-z0-9] for each Message-ID."""

    def __init__(self, renderer: Renderer, new_id: Callable[[], str]) -> None:
        self._outbox = OutboxWriter(renderer, new_id)

    def queue_effect(self, case: Case, effect: Effect) -> None:
        """Queue the mail that an effect of a decision asks for."""
        if isinstance(effect, Acknowledge):
            self._acknowledge(case, effect)
        elif isinstance(effect, Notify):
            self._notify(case, effect)
        elif isinstance(effect, SendAnswer):
            self._answer(case, effect)
        elif isinstance(effect, SendReminder):
            self._remind(case, effect)
        elif isinstance(effect, SendClosure):
            self._close(case, effect)
        elif isinstance(effect, SendNotice):
            self._notice(case, effect)
        elif isinstance(effect, SendHelp):
            self._outbox.to_agent(case, effect.to, "agent/help", {})
        else:
            raise TypeError(f"{type(effect).__name__} is no mail")

    # To requesters and participants

    def _acknowledge(self, case: Case, effect: Acknowledge) -> None:
        template = "requester/acknowledgement"
        if effect.follow_up_of is not None:
            template += "_follow_up"
        elif effect.opens_at is not None:
            template += "_out_of_hours"
        # no names: an acknowledgement repeats nothing that a stranger wrote
        variables = {"opens_at": effect.opens_at, "held_files": len(case.mail.withheld) if case.mail else 0}
        language = case.stored.ticket.language
        copies = [
            Notification(MessageKind.ACKNOWLEDGEMENT, to, template, variables, language, "auto-replied")
            for to in effect.to
        ]
        self._outbox.send(case, copies)

    def _answer(self, case: Case, effect: SendAnswer) -> None:
        name = visibility.agent_name(case.context, effect.agent)
        public = _PublicMail(MessageKind.ANSWER, "requester/answer", case.words, name, effect.cycle)
        self._to_people(case, public, effect.to)

    def _close(self, case: Case, effect: SendClosure) -> None:
        template = "requester/closure_no_reply" if effect.reason is CloseReason.NO_REPLY else "requester/closure_solved"
        words = case.words if effect.with_words else None
        name = visibility.agent_name(case.context, effect.agent) if words else ""
        case = case if words else Case(case.context, case.ticket)
        self._to_people(case, _PublicMail(MessageKind.CLOSURE, template, words, name), effect.to)

    def _to_people(self, case: Case, public: _PublicMail, people: Sequence[Address]) -> None:
        """Send a copy of its own to each; Cc shows whom the requester had in Cc."""
        ticket = case.stored.ticket
        visible = tuple(a for a in people if not ticket.is_hidden(a.email))
        copies = [
            Notification(
                public.kind, to, public.template, public.variables, ticket.language,
                auto_submitted="" if public.words else "auto-generated",
                from_name=public.agent_name,
                cc=() if ticket.is_hidden(to.email) else tuple(a for a in visible if a.email != to.email),
                attachments=public.words.attachments if public.words else (),
                cycle=public.cycle if to.email == ticket.requester.email else 0,  # one copy starts the timers
            )
            for to in people
        ]  # fmt: skip
        self._outbox.send(case, copies)

    def _remind(self, case: Case, effect: SendReminder) -> None:
        messages = case.context.work.messages(case.stored.id)
        asked = next((m for m in reversed(messages) if m.kind == MessageKind.ANSWER), None)
        variables = {
            "closes_at": effect.closes_at,
            "agent_name": visibility.agent_name(case.context, asked.author) if asked else "",
            "words": asked.text if asked else "",
        }
        template = "requester/reminder_2" if effect.last else "requester/reminder_1"
        copies = [
            Notification(
                MessageKind.REMINDER, to, template, variables, case.stored.ticket.language, "auto-generated",
                cycle=effect.cycle, step=effect.step,
            )
            for to in effect.to
        ]  # fmt: skip
        self._outbox.send(case, copies)

    def status(self, case: Case) -> None:
        """Answer a status request of a person who takes part in the ticket."""
        context, ticket, to = case.context, case.stored.ticket, case.incoming.message.from_address
        rows = context.work.messages(case.stored.id)
        public_at = [m.at for m in rows if m.public and m.kind in ("answer", "closure", "reply")]
        view = visibility.view(context, visible_to(context, ticket, to), last_answer_at=max(public_at, default=None))
        variables = {"ticket": view}
        self._outbox.queue(
            case,
            Notification(MessageKind.STATUS, to, "requester/status", variables, ticket.language, "auto-replied"),
        )

    def status_unknown(self, case: Case, number: int) -> None:
        """Answer that number and address don't belong together; whether the number exists is not said."""
        to, language = case.incoming.message.from_address, case.context.profile.language
        variables = {"number": number}
        self._outbox.queue(
            case,
            Notification(MessageKind.STATUS, to, "requester/status_unknown", variables, language, "auto-replied"),
        )

    def too_large(self, case: Case) -> None:
        """Notify the sender of an oversize mail of the limit and what to do."""
        profile, message = case.context.profile, case.incoming.message
        variables = {
            "limit": profile.max_size,
            "size": message.size,
            "mail_subject": safe_title(clean_subject(message.subject), profile.language),
        }  # fmt: skip
        notice = Notification(
            MessageKind.NOTICE, message.from_address, "requester/oversize", variables, profile.language,
            "auto-replied", to_requester=True,
        )  # fmt: skip
        self._outbox.queue(case, notice)

    # To agents

    def notify(
        self,
        context: Context,
        ticket: StoredTicket | None,
        to: Sequence[str],
        topic: Topic,
        facts: Mapping[str, str],
    ) -> None:
        """Queue a notice to these agents that no mail of theirs and no decision asked for."""
        self._outbox.notify(context, ticket, to, topic, facts)

    def _notify(self, case: Case, effect: Notify) -> None:
        assert case.words is not None
        context, mail, words = case.context, case.mail, case.words
        is_new = mail is None or case.stored.root == case.message_id
        if is_digested(case, is_new=is_new):
            return
        event = "reply" if not is_new else "follow_up" if case.stored.ticket.follow_up_of else "report"
        history: tuple[EntryView, ...] = ()
        if event != "report":
            history = visibility.history(context, case.stored, skip_last=True)
        variables = {
            "event": event,
            "person": PersonView(words.author.email, words.author.name),
            "words": words.text,
            "attachments": tuple(FileView(a.name, a.size) for a in words.attachments),
            "held": tuple(HeldView(file.to_blame, file.kind) for file in (mail.withheld if mail else ())),
            "history": history,
            "elsewhere": effect.elsewhere,
            "named": effect.named,
        }
        copies = [
            Notification(
                MessageKind.NOTIFICATION, visibility.agent_address(context, email), "agent/notification", variables,
                context.profile.language, "auto-generated", attachments=words.attachments,
                from_name=visibility.person_name(context, words.author),
            )
            for email in effect.to
        ]  # fmt: skip
        self._outbox.send(case, copies)

    def _notice(self, case: Case, effect: SendNotice) -> None:
        context, words = case.context, case.words
        facts = dict(effect.facts)
        if "actor" in facts:
            actor = context.policy.agent(facts["actor"])
            facts["actor"] = actor.name if actor else facts["actor"]
        facts["words"] = words.text if words and words.role is Role.AGENT else ""
        wants_history = effect.topic in (Topic.ASSIGNED, Topic.MERGED)
        variables = {
            "topic": effect.topic.value,
            "facts": facts,
            "history": visibility.history(context, case.stored, skip_last=False) if wants_history else (),
        }
        answers_them = words is not None and words.author.email in effect.to
        case = case if answers_them else case.answering(None)
        for email in effect.to:
            self._outbox.to_agent(case, email, "agent/notice", variables)

    def refuse(self, case: Case, agent: Agent, errors: Sequence[CommandError]) -> None:
        """Notify an agent that nothing of their mail was carried out: which line, why, what is possible."""
        faults = tuple(FaultView(e.fault.value, e.line, e.line_number, e.found, e.possible) for e in errors)
        variables = {"errors": faults, "words": case.incoming.message.text}
        self._outbox.to_agent(case, agent.email, "agent/error", variables)

    def ask_to_confirm(self, case: Case, agent: Agent) -> bool:
        """Ask an agent, at their known address, whether a mail in their name is theirs; False: asked too often."""
        context, mail = case.context, case.incoming
        case = Case(context)  # the question answers no mail, and is on no ticket
        if not may_ask(context, agent.email):
            self._outbox.withhold(case, Limit.CONFIRM, agent.email)
            return False
        variables = {"mail_subject": clean_subject(mail.message.subject), "words": mail.message.text[:2000]}
        question = Notification(
            MessageKind.NOTICE, Address(agent.email, agent.name), "agent/confirm", variables,
            context.profile.language, "auto-generated", confirms=mail.inbound_id,
        )  # fmt: skip
        self._outbox.queue(case, question)
        return True

    def quarantine_list(self, context: Context, email: str, list_id: int, variables: Mapping[str, object]) -> None:
        """Send a lead a list of the quarantine; their answer gives commands on it."""
        self._about_quarantine(Case(context), email, "agent/quarantine", variables, list_id)

    def quarantine_outcomes(
        self,
        case: Case,
        agent: Agent,
        list_id: int | None,
        outcomes: Sequence[OutcomeView],
        faults: Sequence[FaultView] = (),
    ) -> None:
        """Notify a lead what became of their commands on a quarantine list."""
        variables = {"outcomes": tuple(outcomes), "errors": tuple(faults)}
        self._about_quarantine(case, agent.email, "agent/quarantine_done", variables, list_id)

    def _about_quarantine(
        self, case: Case, email: str, template: str, variables: Mapping[str, object], list_id: int | None
    ) -> None:
        notice = Notification(
            MessageKind.NOTICE, visibility.agent_address(case.context, email), template, variables,
            case.context.profile.language, "auto-replied" if case.mail else "auto-generated", quarantine_list=list_id,
        )  # fmt: skip
        self._outbox.queue(case, notice)
