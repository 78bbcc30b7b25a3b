"""An explanation for a person at a terminal: sections on one screen, the hidden part of the text dimmed.

In: the document of `mailbot.diagnostics.explain.document`. Out: stdout. Never: a conclusion of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from mailbot.cli import output

Document = Mapping[str, Any]

# Marks of a clue that counts, one that doesn't, and one that can't be judged without a desk.
MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("?", "yellow")}
KIND_STYLES = {
    "human": "green",
    "noack": "yellow",
    "auto": "cyan",
    "bounce": "magenta",
    "quarantine": "red",
    "loop": "dim",
}
MAX_LINES = 40
MAX_HIDDEN_LINES = 25


def print_explanation(document: Document, zone: ZoneInfo) -> None:
    """Print one document: of a mail, a ticket, or a mail of the desk itself."""
    if "ticket" in document:
        _Page(zone).ticket(document)
    elif "ours" in document:
        _Page(zone).ours(document)
    else:
        _Page(zone).mail(document)


class _Page:
    """One page; times are shown in `zone`."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._out = output.console()

    # One of these is the page

    def mail(self, document: Document) -> None:
        """Print a mail, from what it says to what was sent because of it."""
        if document["mail"] is None:
            self._head("A mail whose original is gone ([storage] keep_raw, or erased)")
        else:
            self._facts(document["mail"], document["authentication"])
            self._verdict(document["verdict"])
            self._words(document["words"], document["intent"], document["commands"])
            self._evidence(document["evidence"], document["subject"])
            if document["evidence"]["route"] is None:
                self._section("Outcome")
                self._print("  unknown without a desk; name its configuration with --config FILE", "dim")
                return
        self._outcome(document["outcome"])

    def ticket(self, document: Document) -> None:
        """Print a ticket: its status, then mail in, decisions and mail out in their order."""
        ticket = document["ticket"]
        self._head(f"#{ticket['number']}  {output.cell(ticket['subject'])}")
        status = f"{ticket['status']} ({ticket['close_reason']})" if ticket["close_reason"] else ticket["status"]
        timer = ticket["next_timer"]
        self._lines(
            ("status", status),
            ("requester", ticket["requester"]["email"]),
            ("participants", ", ".join(ticket["participants"])),
            ("agent", ticket["agent"] or "nobody yet"),
            ("follow-up of", f"#{ticket['follow_up_of']}" if ticket["follow_up_of"] else ""),
            ("merged into", f"#{ticket['merged_into']}" if ticket["merged_into"] else ""),
            ("next", f"{timer['kind']} on {self._at(timer['at'])}" if timer else "no timer runs"),
        )
        for when, line, style in sorted(self._history(document), key=lambda entry: entry[0]):
            self._print(f"  {self._at(when)}  {line}", style)
        self._print("")
        self._print("One mail with all its rules: mailbot explain '<Message-ID>'", "dim")

    def ours(self, document: Document) -> None:
        """Print a mail that the desk wrote itself."""
        self._head("A mail from this desk")
        self._sent([document["ours"]])
        if document["because_of"]:
            self._print(
                f"It answers {document['because_of']}; to explain that: mailbot explain '{document['because_of']}'"
            )

    def _history(self, document: Document) -> Iterable[tuple[str, str, str]]:
        """Yield (time, line, style) of everything that happened on a ticket."""
        self._section("What happened")
        for mail in document["mails"]:
            outcome, facts = mail["outcome"], mail["mail"]
            author = facts["from"][0]["email"] if facts and facts["from"] else "?"
            clue = (mail.get("evidence") or {}).get("route") or {}
            verdict = f"{outcome['kind']} ({outcome['rule']})" if outcome["rule"] else outcome["state"]
            because = outcome["explanation"].get("evidence") or clue.get("evidence") or "a new ticket"
            line = f"→ {author}  {verdict}, {outcome['recorded_as'] or outcome['state']}, by {because}"
            yield outcome["received_at"], f"{line}  {facts['message_id'] if facts else ''}", "bold"
        for event in document["ticket"]["events"]:
            change = " → ".join(output.cell(event[side]) for side in ("from", "to") if event[side])
            yield event["at"], f"  {event['kind']} {change} ({output.cell(event['actor'])})", "dim"
        for sent in document["sent"]:
            yield sent["created_at"], f"← {self._sent_line(sent)}", ""

    # Sections

    def _facts(self, mail: Document, authentication: Document) -> None:
        self._head(mail["subject"] or "(no subject)")
        files = [
            f"{a['name']} ({a['type']}, {a['size']} B{', inline' if a['inline'] else ''})" for a in mail["attachments"]
        ]
        self._lines(
            ("from", self._people(mail["from"])),
            ("sender", self._people([mail["sender"]]) if mail["sender"] else ""),
            ("reply-to", self._people(mail["reply_to"])),
            ("to", self._people(mail["to"])),
            ("cc", self._people(mail["cc"])),
            ("date", self._at(mail["date"]) or "none that can be read"),
            ("received", self._at(mail["received"])),
            ("message-id", mail["message_id"] or "none"),
            ("size", f"{mail['size']} B" + (", text taken from its HTML" if mail["text_from_html"] else "")),
            ("files", ", ".join(files)),
            ("security", ", ".join(mail["security"])),
            ("defects", ", ".join(mail["defects"])),
        )
        for field in authentication["fields"]:
            self._line("auth-results", field)
        self._line("DMARC", f"{authentication['dmarc'] or 'none'}: {authentication['why']}")

    def _verdict(self, verdict: Document) -> None:
        self._section("Verdict")
        style = KIND_STYLES.get(verdict["kind"], "")
        self._print(
            f"  {verdict['kind'].upper()}  {verdict['rule']}: {output.cell(verdict['reason'])}", f"bold {style}"
        )
        for rule in verdict["rules"]:
            if not rule["decided"]:
                self._print(f"  later, {rule['kind']}  {rule['rule']}: {output.cell(rule['reason'])}", "dim")
        for hint in verdict["hints"]:
            self._print(f"  hint, weight {hint['weight']}: {output.cell(hint['reason'])}", "dim")
        bounce = verdict["bounce"]
        if bounce:
            strength = "permanently" if bounce["hard"] else "temporarily"
            said = " ".join(bounce[key] or "" for key in ("status", "diagnostic"))
            self._print(f"  {strength} undeliverable to {bounce['recipient'] or '?'}: {output.cell(said)}")
        if verdict["returns_on"]:
            self._print(f"  back on {verdict['returns_on']}")

    def _words(self, words: Document, intent: Document | None, commands: Document | None) -> None:
        self._section(f"New words  (cut by: {words['rule'] or 'nothing'})")
        self._text(words["text"] or "(none)", "", MAX_LINES)
        for name in ("quoted", "signature"):
            if words[name].strip():
                self._print(f"  · {name}, hidden:", "dim italic")
                self._text(words[name], "dim", MAX_HIDDEN_LINES)
        if intent:
            self._print(f"  intent: {intent['intent']}", "bold")
        for clause in intent["clauses"] if intent else ():
            self._print(f"    {output.cell(clause['clause'])}: {', '.join(clause['says'])}", "dim")
        if commands:
            self._section("Commands")
            for command in commands["commands"]:
                self._print(f"  line {command['line']}  {output.cell(command['text'])}  ({command['verb']})")
            for error in commands["errors"]:
                self._print(f"  line {error['line']}  {output.cell(error['text'])}  refused: {error['why']}", "red")
            if not commands["commands"] and not commands["errors"]:
                self._print("  none", "dim")

    def _evidence(self, evidence: Document, subject: Document) -> None:
        self._section("Why this ticket")
        if evidence["agent"]:
            self._print(f"  From is the address of agent {evidence['agent']}")
        for clue in evidence["clues"]:
            mark, style = MARKS[clue["counts"]]
            about = f" → #{clue['ticket']}" if clue["ticket"] else ""
            self._print(
                f"  {mark} {clue['kind']}  {output.cell(clue['value'])}{about}  {output.cell(clue['why'])}", style
            )
        if not evidence["clues"]:
            self._print("  no clue to a ticket", "dim")
        if subject["status_request"] is not None:
            self._print(f"  the subject asks for the status of #{subject['status_request']}")
        if subject["forward_of"]:
            self._print(f"  forwards a mail of {self._people([subject['forward_of']['from']]) or 'somebody'}")
        if evidence["route"]:
            self._print(f"  now: {output.cell(evidence['route']['words'])}", "bold")

    def _outcome(self, outcome: Document | None) -> None:
        self._section("Outcome")
        if outcome is None:
            self._print("  none: this desk has not received it", "dim")
            return
        ticket = f", ticket #{outcome['ticket']}" if outcome["ticket"] else ""
        recorded = f", recorded as {outcome['recorded_as']}" if outcome["recorded_as"] else ""
        self._print(f"  {outcome['state']}{ticket}{recorded}", "bold")
        noted = {key: value for key, value in outcome["explanation"].items() if value}
        not_answered = noted.pop("not_answered", "")
        known = " · ".join(f"{key}: {output.cell(value)}" for key, value in noted.items())
        self._lines(
            ("because", outcome["reason"]),
            ("noted", known),
            ("received", f"{self._at(outcome['received_at'])} as mail {outcome['id']} of {outcome['mailbox']}"),
            ("handled", self._at(outcome["processed_at"])),
            ("moved to", outcome["place"] or ""),
            ("duplicate of", f"mail {outcome['duplicate_of']}" if outcome["duplicate_of"] else ""),
            ("repeated", ", ".join(f"as mail {again}" for again in outcome["came_again"])),
        )
        for event in outcome["events"]:
            change = " → ".join(output.cell(event[side]) for side in ("from", "to") if event[side])
            self._print(f"  {event['kind']} {change} ({output.cell(event['actor'])})", "dim")
        if outcome["traceback"]:
            self._text(outcome["traceback"], "dim", MAX_HIDDEN_LINES)
        self._section("Sent because of it")
        if not_answered:
            words = "no automatic answer, since it could reach somebody who did not write: "
            self._print(f"  {words}{output.cell(not_answered)}", "yellow")
        self._sent(outcome["sent"])

    def _sent(self, sent: Sequence[Document]) -> None:
        for mail in sent:
            self._print(f"  {self._sent_line(mail)}", "" if mail["state"] in ("sent", "pending", "sending") else "red")
        if not sent:
            self._print("  nothing", "dim")

    def _sent_line(self, mail: Document) -> str:
        when = f" {self._at(mail['sent_at'])}" if mail["sent_at"] else ""
        retry = f", next attempt {self._at(mail['next_attempt_at'])}" if mail["next_attempt_at"] else ""
        tried = f", {output.count(mail['attempts'], 'attempt')}" if mail["attempts"] > 1 or not when else ""
        said = f": {output.cell(mail['said'])}" if mail["said"] else ""
        return f"{mail['kind']} to {mail['to']}  {mail['state']}{when}{tried}{retry}{said}"

    # Printing

    def _head(self, text: str) -> None:
        self._print(output.cell(text), "bold")

    def _section(self, title: str) -> None:
        self._print("")
        self._print(title, "bold underline")

    def _lines(self, *facts: tuple[str, str]) -> None:
        for label, value in facts:
            if value:
                self._line(label, value)

    def _line(self, label: str, value: str) -> None:
        from rich.text import Text

        self._out.print(Text(f"  {label:<13}", style="dim") + Text(output.cell(value)), soft_wrap=True)

    def _text(self, text: str, style: str, most: int) -> None:
        lines = text.strip("\n").splitlines()
        for line in lines[:most]:
            self._print(f"  {output.safe(line)}", style)
        if len(lines) > most:
            self._print(f"  … {output.count(len(lines) - most, 'more line')}: --json has all", "dim italic")

    def _print(self, line: str, style: str = "") -> None:
        from rich.text import Text

        self._out.print(Text(line, style=style), soft_wrap=True)

    def _people(self, people: Sequence[Mapping[str, str]]) -> str:
        return ", ".join(f"{p['name']} <{p['email']}>" if p["name"] else p["email"] for p in people)

    def _at(self, iso: str | None) -> str:
        return output.moment(iso, self._zone)
