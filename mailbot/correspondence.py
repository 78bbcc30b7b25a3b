"""The desk's pen: effects of a decision become mails in the outbox, one to each person, inside the same transaction.

In: the turn, the ticket as it now stands, one effect, the words behind it. Out: outbox rows, each composed and with
its Message-ID fixed, and the message on the ticket's record. Nothing is sent here. Each reader gets a mail of their
own, with a reply address that was signed for them, threaded after the mail that they have; nobody's private address
or token reaches anybody else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mailbot.core.commands import CommandError
from mailbot.core.compose import Draft, compose
from mailbot.core.desk import DeskProfile
from mailbot.core.events import (
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
from mailbot.core.message import Address, Attachment
from mailbot.core.relay import mask_addresses, without_tokens
from mailbot.core.restraint import Cap
from mailbot.core.stranger_words import safe_name, safe_title
from mailbot.core.subject import clean_subject
from mailbot.core.ticket import Agent, CloseReason, MessageKind, Role, Ticket
from mailbot.core.token import Purpose
from mailbot.intake.sight import as_seen_by
from mailbot.intake.turn import Arrived, Source, Turn
from mailbot.render import Rendered, Renderer
from mailbot.restraint import cap_on, folds, may_ask, withhold
from mailbot.store.work import Loaded
from mailbot.views import DeskView, EntryView, FaultView, FileView, HeldView, PersonView, TicketView
from mailbot.vocabulary.caps import WITHHELD

HISTORY_ENTRIES = 6
SHOWN_KINDS = ("report", "reply", "answer", "note")
# Whose turn it is when a queue has formed, the least first: an agent's words before the desk's own.
TURN = {MessageKind.ANSWER: -20, MessageKind.CLOSURE: -15, MessageKind.ACKNOWLEDGEMENT: -10, MessageKind.STATUS: -10}


@dataclass(frozen=True)
class Envelope:
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


class Correspondence:
    """Writes the desk's mail. `new_id` gives a fresh unguessable string of [a-z0-9] for each Message-ID."""

    def __init__(self, renderer: Renderer, new_id: Callable[[], str]) -> None:
        self._renderer = renderer
        self._new_id = new_id

    def carry(self, turn: Turn, loaded: Loaded, effect: Effect, source: Source | None) -> None:
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
            self._to_agent(turn, loaded, effect.to, "agent/help", {}, source.mail if source else None)
        else:
            raise TypeError(f"{type(effect).__name__} is no mail")

    # To requesters and participants

    def _acknowledge(self, turn: Turn, loaded: Loaded, effect: Acknowledge, source: Source | None) -> None:
        template = "requester/acknowledgement"
        if effect.follow_up_of is not None:
            template += "_follow_up"
        elif effect.opens_at is not None:
            template += "_out_of_hours"
        held = (
            len(source.mail.held) if source and source.mail else 0
        )  # no names: an acknowledgement has no strange text
        envelopes = [
            Envelope(
                MessageKind.ACKNOWLEDGEMENT, to, template, {"opens_at": effect.opens_at, "held_files": held},
                loaded.ticket.language, auto_submitted="auto-replied",
            )
            for to in effect.to
        ]  # fmt: skip
        self._send(turn, loaded, envelopes, source)

    def _answer(self, turn: Turn, loaded: Loaded, effect: SendAnswer, source: Source | None) -> None:
        assert source is not None
        name = self._agent_name(turn, effect.agent)
        context = {
            "words": source.words, "agent_name": name, "attachment_names": tuple(a.name for a in source.attachments)
        }  # fmt: skip
        self._to_people(
            turn, loaded, MessageKind.ANSWER, "requester/answer", context, effect.to, source, name, effect.cycle
        )

    def _close(self, turn: Turn, loaded: Loaded, effect: SendClosure, source: Source | None) -> None:
        template = "requester/closure_no_reply" if effect.reason is CloseReason.NO_REPLY else "requester/closure_solved"
        spoken = source if effect.with_words else None
        name = self._agent_name(turn, effect.agent) if spoken else ""
        context = {
            "words": spoken.words if spoken else "", "agent_name": name,
            "attachment_names": tuple(a.name for a in spoken.attachments) if spoken else (),
        }  # fmt: skip
        self._to_people(turn, loaded, MessageKind.CLOSURE, template, context, effect.to, spoken, name, 0)

    def _to_people(
        self,
        turn: Turn,
        loaded: Loaded,
        kind: MessageKind,
        template: str,
        context: Mapping[str, object],
        people: Sequence[Address],
        source: Source | None,
        agent_name: str,
        cycle: int,
    ) -> None:
        """A copy of its own to each; Cc shows whom the requester had in Cc (contract.md)."""
        is_hidden = loaded.ticket.is_hidden
        visible = tuple(a for a in people if not is_hidden(a.email))
        envelopes = [
            Envelope(
                kind, to, template, context, loaded.ticket.language,
                auto_submitted="" if source else "auto-generated",
                from_name=agent_name,
                cc=() if is_hidden(to.email) else tuple(a for a in visible if a.email != to.email),
                attachments=source.attachments if source else (),
                cycle=cycle if to.email == loaded.ticket.requester.email else 0,  # one copy starts the timers
            )
            for to in people
        ]  # fmt: skip
        self._send(turn, loaded, envelopes, source)

    def _remind(self, turn: Turn, loaded: Loaded, effect: SendReminder) -> None:
        asked = next((m for m in reversed(turn.work.messages(loaded.id)) if m.kind == "answer"), None)
        context = {
            "closes_at": effect.closes_at,
            "agent_name": self._agent_name(turn, asked.author) if asked else "",
            "words": asked.text if asked else "",
        }
        template = "requester/reminder_2" if effect.last else "requester/reminder_1"
        envelopes = [
            Envelope(
                MessageKind.REMINDER, to, template, context, loaded.ticket.language, "auto-generated",
                cycle=effect.cycle, step=effect.step,
            )
            for to in effect.to
        ]  # fmt: skip
        self._send(turn, loaded, envelopes, None)

    def status(self, turn: Turn, loaded: Loaded, mail: Arrived) -> None:
        """Answer a status request of somebody who takes part."""
        rows = turn.work.messages(loaded.id)
        spoken = [m.at for m in rows if m.public and m.kind in ("answer", "closure", "reply")]
        seen = as_seen_by(turn, loaded.ticket, mail.message.from_address)
        view = self._view(turn, seen, last_answer_at=max(spoken, default=None))
        envelope = Envelope(
            MessageKind.STATUS, mail.message.from_address, "requester/status", {"ticket": view},
            loaded.ticket.language, "auto-replied",
        )  # fmt: skip
        self._post(turn, loaded, envelope, mail, None)

    def status_unknown(self, turn: Turn, number: int, mail: Arrived) -> None:
        """The number and the address don't belong together; whether the number exists is not said."""
        envelope = Envelope(
            MessageKind.STATUS, mail.message.from_address, "requester/status_unknown", {"number": number},
            turn.profile.language, "auto-replied",
        )  # fmt: skip
        self._post(turn, None, envelope, mail, None)

    def too_large(self, turn: Turn, mail: Arrived) -> None:
        """Tell the sender of an oversize mail the limit and what to do."""
        context = {
            "limit": turn.profile.max_size,
            "size": mail.message.size,
            "mail_subject": safe_title(clean_subject(mail.message.subject), turn.profile.language),
        }  # fmt: skip
        envelope = Envelope(
            MessageKind.NOTICE, mail.message.from_address, "requester/oversize", context,
            turn.profile.language, "auto-replied",
        )  # fmt: skip
        self._post(turn, None, envelope, mail, None)

    # To agents

    def _notify(self, turn: Turn, loaded: Loaded, effect: Notify, source: Source | None) -> None:
        assert source is not None
        ticket = loaded.ticket
        is_new = source.mail is None or loaded.root == source.message_id
        if folds(turn, loaded, is_new=is_new):
            return
        event = "reply" if not is_new else "follow_up" if ticket.follow_up_of else "report"
        history: tuple[EntryView, ...] = ()
        if event != "report":
            history = self._history(turn, loaded, skip_last=True)
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
            Envelope(
                MessageKind.NOTIFICATION, self._agent_address(turn, email), "agent/notification", context,
                turn.profile.language, "auto-generated", attachments=source.attachments,
                from_name=self._person_name(turn, source.author),
            )
            for email in effect.to
        ]  # fmt: skip
        self._send(turn, loaded, envelopes, source)

    def _notice(self, turn: Turn, loaded: Loaded, effect: SendNotice, source: Source | None) -> None:
        facts = dict(effect.facts)
        if "actor" in facts:
            actor = turn.policy.agent(facts["actor"])
            facts["actor"] = actor.name if actor else facts["actor"]
        facts["words"] = source.words if source and source.role is Role.AGENT else ""
        wants_history = effect.topic in (Topic.ASSIGNED, Topic.MERGED)
        context = {
            "topic": effect.topic.value,
            "facts": facts,
            "history": self._history(turn, loaded, skip_last=False) if wants_history else (),
        }
        mail = source.mail if source and source.author.email in effect.to else None
        for email in effect.to:
            self._to_agent(turn, loaded, email, "agent/notice", context, mail)

    def refuse(
        self, turn: Turn, loaded: Loaded | None, mail: Arrived, agent: Agent, errors: Sequence[CommandError]
    ) -> None:
        """Tell an agent that nothing of their mail was carried out: which line, why, what is possible."""
        faults = tuple(FaultView(e.fault.value, e.line, e.line_number, e.found, e.possible) for e in errors)
        context = {"errors": faults, "words": mail.message.text}
        self._to_agent(turn, loaded, agent.email, "agent/error", context, mail)

    def ask_to_confirm(self, turn: Turn, mail: Arrived, agent: Agent) -> bool:
        """Ask an agent, at their known address, whether a mail in their name is theirs; False: asked too often."""
        if not may_ask(turn, agent.email):
            self._withhold(turn, Cap.CONFIRM, None, agent.email)
            return False
        context = {"mail_subject": clean_subject(mail.message.subject), "words": mail.message.text[:2000]}
        envelope = Envelope(
            MessageKind.NOTICE, Address(agent.email, agent.name), "agent/confirm", context, turn.profile.language,
            "auto-generated", confirms=mail.inbound_id,
        )  # fmt: skip
        self._post(turn, None, envelope, None, None)
        return True

    def of_quarantine(
        self, turn: Turn, email: str, template: str, context: Mapping[str, object], list_id: int | None,
        mail: Arrived | None = None,
    ) -> None:  # fmt: skip
        """Tell a lead of the quarantine; an answer gives orders on this list."""
        envelope = Envelope(
            MessageKind.NOTICE, self._agent_address(turn, email), template, context, turn.profile.language,
            "auto-replied" if mail else "auto-generated", quarantine_list=list_id,
        )  # fmt: skip
        self._post(turn, None, envelope, mail, None)

    def _to_agent(
        self,
        turn: Turn,
        loaded: Loaded | None,
        email: str,
        template: str,
        context: Mapping[str, object],
        mail: Arrived | None,
    ) -> None:
        envelope = Envelope(
            MessageKind.NOTICE, self._agent_address(turn, email), template, context, turn.profile.language,
            "auto-replied" if mail else "auto-generated",
        )  # fmt: skip
        self._post(turn, loaded, envelope, mail, None)

    # Writing, recording, queueing

    def _send(self, turn: Turn, loaded: Loaded, envelopes: Sequence[Envelope], source: Source | None) -> None:
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
                subject=self._subject(loaded.ticket),
                text=source.words if carries_words and source and first.kind is MessageKind.CLOSURE else "",
            )  # fmt: skip
        mail = source.mail if source else None
        # agents read the same words: rendered once, whoever of them gets a copy
        rendered = self._rendered(turn, loaded, first, turn.profile.at(loaded.mailbox_id)) if agents_only else None
        for envelope in envelopes:
            self._post(turn, loaded, envelope, mail, source, message_row_id, rendered)

    def _post(
        self,
        turn: Turn,
        loaded: Loaded | None,
        envelope: Envelope,
        mail: Arrived | None,
        source: Source | None,
        message_row_id: int | None = None,
        rendered: Rendered | None = None,
    ) -> None:
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

    def _rendered(self, turn: Turn, loaded: Loaded | None, envelope: Envelope, profile: DeskProfile) -> Rendered:
        context = dict(envelope.context)
        if profile is not turn.profile:
            context["desk"] = DeskView(profile.name, profile.brand, profile.address, profile.status_page)
        context.setdefault("person", PersonView(envelope.to.email, envelope.to.name))
        if loaded is not None:
            is_agent = envelope.template.startswith("agent/")
            seen = loaded.ticket if is_agent else as_seen_by(turn, loaded.ticket, envelope.to)
            context.setdefault("ticket", self._view(turn, seen))
            if not is_agent and context.get("words"):
                context["words"] = self._for_outsiders(turn, loaded.ticket, envelope.to, str(context["words"]))
            if turn.profile.status_page and not is_agent:
                context["desk"] = self._desk_with_link(profile, loaded, envelope)
        return self._renderer.render(envelope.template, envelope.language, context)

    def _for_outsiders(self, turn: Turn, ticket: Ticket, reader: Address, words: str) -> str:
        """An agent's words without the private addresses of agents, and of people whom this reader may not know of."""
        private = {address for agent in turn.policy.agents for address in (agent.email, *agent.aliases)}
        private -= {email for email in private if ticket.takes_part(email) and not ticket.is_hidden(email)}
        people = {ticket.requester.email, *(person.email for person in ticket.participants)} - {reader.email}
        private |= people if ticket.is_hidden(reader.email) else {email for email in people if ticket.is_hidden(email)}
        return mask_addresses(without_tokens(words), private, turn.profile.address)

    def _desk_with_link(self, profile: DeskProfile, loaded: Loaded, envelope: Envelope) -> DeskView:
        """The desk with a signed link to the status page: it shows its reader all, not only number and status."""
        number = loaded.ticket.number
        link = f"{profile.status_page}?nomor={number}"
        if not loaded.ticket.is_hidden(envelope.to.email):  # the page would show them the requester's address
            link += f"&kunci={profile.signer.sign(Purpose.STATUS, number, envelope.to.email)}"
        return DeskView(profile.name, profile.brand, profile.address, link)

    def _may_write(
        self, turn: Turn, loaded: Loaded | None, envelope: Envelope, mail: Arrived | None, source: Source | None
    ) -> bool:
        """Past a cap on automatic mail (`core.restraint`) there is silence, and one notice to the leads."""
        to = envelope.to.email
        words = source.words if source else mail.message.text if mail else ""
        cap = cap_on(turn, loaded, envelope.kind, to, mail, words or (mail.message.subject if mail else ""))
        if cap is None:
            return True
        turn.work.enqueue(
            {
                "mailbox_id": 0, "ticket_id": loaded.id if loaded else None, "kind": envelope.kind.value,
                "recipient": to, "role": "person", "message_id": f"<{self._new_id()}@{turn.profile.domain}>",
                "raw": b"", "automatic": True, "state": "suppressed", "expires_at": turn.work.now,
                "last_error": f"not sent: {WITHHELD[cap]}",
            }
        )  # fmt: skip
        self._withhold(turn, cap, loaded, to)
        return False

    def tell(
        self, turn: Turn, loaded: Loaded | None, to: Sequence[str], topic: Topic, facts: Mapping[str, str]
    ) -> None:
        """A notice to these agents that no mail of theirs and no decision asked for."""
        context = {"topic": topic.value, "facts": facts, "history": ()}
        for email in to:
            self._to_agent(turn, loaded, email, "agent/notice", context, None)

    def _withhold(self, turn: Turn, cap: Cap, loaded: Loaded | None, recipient: str) -> None:
        if withhold(turn, cap, loaded):
            facts = {"recipient": recipient, "limit": str(turn.profile.limits.of(cap).count), "cap": cap.value}
            self.tell(turn, None, turn.policy.leads, Topic.SENDER_LIMIT, facts)

    def _token(self, turn: Turn, loaded: Loaded | None, envelope: Envelope, is_agent: bool) -> Any:
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
        self, turn: Turn, loaded: Loaded | None, envelope: Envelope, mail: Arrived | None, is_agent: bool
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

    def _files(self, envelope: Envelope, source: Source | None) -> list[dict[str, str]]:
        """Which files go with the mail: named by the raw mail that they came in and their digest, not copied."""
        if source is None or source.mail is None:
            return []
        return [{"raw": source.mail.raw_sha256, "sha256": a.sha256, "name": a.name} for a in envelope.attachments]

    # What templates see

    def _subject(self, ticket: Ticket) -> str:
        return f"#{ticket.number} - {ticket.subject}"

    def _topic(self, turn: Turn, loaded: Loaded, envelope: Envelope, is_agent: bool) -> str:
        return self._subject(loaded.ticket if is_agent else as_seen_by(turn, loaded.ticket, envelope.to))

    def _view(self, turn: Turn, ticket: Ticket, **more: Any) -> TicketView:
        owner = turn.policy.agent(ticket.agent)
        view = TicketView(
            number=ticket.number,
            subject=ticket.subject,
            status=ticket.status.value,
            requester=PersonView(ticket.requester.email, ticket.requester.name),
            created_at=ticket.created_at,
            closed_at=ticket.closed_at,
            agent_name=owner.name if owner else "",
            priority=ticket.priority,
            program=ticket.program,
            tags=ticket.tags,
            follow_up_of=ticket.follow_up_of,
        )
        return replace(view, **more) if more else view

    def _history(self, turn: Turn, loaded: Loaded, *, skip_last: bool) -> tuple[EntryView, ...]:
        """The last words on the ticket, newest first; a follow-up shows those of the ticket that it came out of."""
        rows = [m for m in turn.work.messages(loaded.id) if m.kind in SHOWN_KINDS and m.direction == "in"]
        if skip_last:
            rows = rows[:-1]
        if not rows and loaded.ticket.follow_up_of is not None:
            old = turn.work.ticket(loaded.ticket.follow_up_of)
            rows = [m for m in turn.work.messages(old.id) if m.kind in SHOWN_KINDS] if old else []
        newest = reversed(rows[-HISTORY_ENTRIES:])
        return tuple(
            EntryView(m.at, m.author_name or m.author, m.author_role, m.text, tuple(a["name"] for a in m.attachments))
            for m in newest
        )

    def _agent_name(self, turn: Turn, email: str) -> str:
        agent = turn.policy.agent(email)
        return f"{agent.name} ({turn.profile.brand})" if agent else turn.profile.name

    def _agent_address(self, turn: Turn, email: str) -> Address:
        agent = turn.policy.agent(email)
        return Address(agent.email, agent.name) if agent else Address(email)

    def _person_name(self, turn: Turn, author: Address) -> str:
        """Under whose name a notification stands in the agent's inbox; a name that poses as somebody is not shown."""
        return author.name if author.name and not turn.poses(author) else author.email
