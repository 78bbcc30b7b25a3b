"""The words of every outgoing mail: Jinja2 over templates/, in Indonesian and English.

In: a template's name ("requester/acknowledgement"), a language ("id" or "en"), the values of mailbot.desk.views. Out:
`Rendered(subject, text, html)`. A folder of the admin's own wins over the packaged templates, file by file:
`<audience>/<event>.<language>.{subject,txt,html}.j2`, with base, letter and agent `.{txt,html}.j2` as shared layouts.

Templates run in Jinja2's sandbox, an unknown variable is an error, HTML is escaped. They are compiled once; `check()`
compiles and renders all of them, so that a broken one is refused at the start, by file and line. Never: mail headers
(`mail.compose`), the network, a clock.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import (
    FileSystemBytecodeCache,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.environment import Environment
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from mailbot.desk.outbound.formats import (
    format_hours,
    format_moment,
    format_size,
    format_span,
    format_stamp,
    greeting_name,
)
from mailbot.desk.views import (
    ConditionView,
    DeskView,
    EntryView,
    FaultView,
    FileView,
    HeldMailView,
    HeldView,
    OutcomeView,
    PersonView,
    TicketView,
    WaitingView,
)
from mailbot.errors import ConfigError
from mailbot.ticket.service_hours import ServiceHours
from mailbot.vocabulary.labels import KINDS, PRIORITIES, ROLES, STATUS_EXPLANATIONS, STATUSES, WITHHELD_FILE
from mailbot.vocabulary.quoting import MARKER_LINES

LANGUAGES = ("id", "en")
PARTS = ("subject", "txt", "html")

MARKERS = dict(zip(LANGUAGES, MARKER_LINES, strict=True))

# The variables of each template, besides `desk` (DeskView) and `person` (PersonView: who reads the mail; in
# agent/notification who wrote): the keys that it must have, then those that it may have with their defaults.
# Types: ticket TicketView · words str (plain text; the new words, in reminders what was asked) · agent_name str
# ("Sally (BOSP)") · opens_at, closes_at datetime | None · attachment_names tuple[str, …] · attachments
# tuple[FileView, …] · held tuple[HeldView, …] · held_files int ·
# history tuple[EntryView, …], newest first · number int · size, limit int (bytes) ·
# mail_subject str · event "report" | "reply" | "follow_up" · elsewhere bool · named int | None · errors
# tuple[FaultView, …] · topic a code of ticket.events.Topic · facts Mapping[str, str]: the topic's own, and `words` ·
# mails tuple[HeldMailView, …] of `total`, `more` are not shown · outcomes tuple[OutcomeView, …] ·
# state "new" | "still" | "over" | "trial" · new, still, over, besides tuple[ConditionView, …] · waiting
# WaitingView | None · machine str, its name.
Keys = tuple[tuple[str, ...], dict[str, object]]
_ACKNOWLEDGEMENT: Keys = (("ticket", "person"), {"opens_at": None, "held_files": 0})
_REMINDER: Keys = (("ticket", "person", "closes_at"), {"agent_name": "", "words": ""})
_CLOSURE: Keys = (("ticket", "person"), {"words": "", "agent_name": "", "attachment_names": ()})
_AGENT: dict[str, object] = {"ticket": None, "person": None, "history": ()}
TEMPLATES: dict[str, Keys] = {
    "requester/acknowledgement": _ACKNOWLEDGEMENT,
    "requester/acknowledgement_out_of_hours": (("ticket", "person", "opens_at"), {"held_files": 0}),
    "requester/acknowledgement_follow_up": _ACKNOWLEDGEMENT,
    "requester/answer": (("ticket", "words", "agent_name"), {"person": None, "attachment_names": ()}),
    "requester/reminder_1": _REMINDER,
    "requester/reminder_2": _REMINDER,
    "requester/closure_solved": _CLOSURE,
    "requester/closure_no_reply": _CLOSURE,
    "requester/status": (("ticket", "person"), {}),
    "requester/status_unknown": (("number", "person"), {}),
    "requester/oversize": (("size", "limit", "person"), {"ticket": None, "mail_subject": ""}),
    "agent/notification": (
        ("ticket", "person", "words"),
        {"event": "reply", "attachments": (), "held": (), "history": (), "elsewhere": False, "named": None},
    ),
    "agent/error": (("errors",), {**_AGENT, "words": ""}),
    "agent/notice": (("topic", "facts"), _AGENT),
    "agent/confirm": (("words",), {**_AGENT, "mail_subject": ""}),
    "agent/help": ((), _AGENT),
    "admin/alert": (("state", "new", "still", "over", "besides", "waiting", "machine"), {}),
    "agent/quarantine": (("mails", "more", "total"), _AGENT),
    "agent/quarantine_done": (("outcomes", "errors"), _AGENT),
}

# A template shows this much of a mail that its reader wrote, or may have written, themselves.
_EXCERPT = 1500


@dataclass(frozen=True, slots=True)
class Rendered:
    """One mail's words. Lines end with a line feed."""

    subject: str  #: one line
    text: str
    html: str


@dataclass(frozen=True)
class RenderSettings:
    """What templates say about the desk itself."""

    zone: ZoneInfo
    desk: DeskView | None = None  #: used where the variables have no `desk`
    hours: ServiceHours | None = None
    has_holidays: bool = True  #: service hours except public holidays
    auto_close: timedelta = timedelta(hours=48)
    service_clock: bool = False  #: `auto_close` counts service hours


class Renderer:
    """Compiled templates of one desk. Raises ConfigError for a folder that does not exist.

    `overrides`: the admin's folder; `cache`: a private folder where compiled templates outlast the process.
    """

    def __init__(self, settings: RenderSettings, overrides: Path | None = None, *, cache: Path | None = None) -> None:
        if overrides is not None and not overrides.is_dir():
            raise ConfigError([f'helpdesk.templates_dir: {overrides} is not a folder; write an existing one, or ""'])
        self._overrides = overrides
        folders = [folder for folder in (overrides, packaged_templates()) if folder is not None]
        loader = _Loader(folders)
        self._environments: dict[str, Environment] = {}
        self._globals: dict[str, dict[str, Any]] = {}
        for language in LANGUAGES:
            environment = _environment(loader, language, settings.zone)
            if cache is not None:
                # a language of its own, since the compiler may run a language's filters on constants
                environment.bytecode_cache = FileSystemBytecodeCache(str(cache), f"{language}-%s.cache")
            hours = settings.hours
            environment.globals |= {
                "auto_close": format_span(settings.auto_close, language, of_service=settings.service_clock),
                "service_hours": format_hours(hours, language, except_holidays=settings.has_holidays) if hours else "",
                "desk": settings.desk or environment.undefined(name="desk"),
            }
            self._environments[language] = environment
            self._globals[language] = dict(environment.globals)
        self._compiled: dict[tuple[str, str], tuple[Template, Template, Template]] = {}

    def names(self) -> list[str]:
        """Return the name of every mail."""
        return list(TEMPLATES)

    def render(self, name: str, language: str, variables: Mapping[str, object]) -> Rendered:
        """Return one mail's words. Raises ConfigError with file and line where a template can't be rendered."""
        try:
            subject, text, html = self._templates(name, language)
            values = {**self._globals[language], **TEMPLATES[name][1], **variables}
            values["subject"] = line = " ".join(_run(subject, values).split())
            return Rendered(line, _run(text, values).strip("\n") + "\n", _run(html, values))
        except Exception as error:  # an admin's template may raise anything
            raise ConfigError([_fault(error, name)]) from error

    def page(self, name: str, language: str, variables: Mapping[str, object]) -> str:
        """Return a page of mailbot.web: `web/<name>.html.j2`. Raises ConfigError as `render` does."""
        try:
            return self._environments[language].get_template(f"web/{name}.html.j2").render(variables)
        except Exception as error:
            raise ConfigError([_fault(error, f"web/{name}")]) from error

    def check(self) -> list[str]:
        """Render every branch of every template with invented values; return their names.

        Raises ConfigError with everything that is wrong.
        """
        from mailbot.desk.outbound.template_samples import samples

        problems = self._unused_files()
        for name in TEMPLATES:
            for language in LANGUAGES:
                for variables in samples(name, language).values():
                    try:
                        self.render(name, language, variables)
                    except ConfigError as error:
                        problems += [problem for problem in error.problems if problem not in problems]
        if problems:
            raise ConfigError(problems)
        return self.names()

    def sample(self, name: str, language: str) -> dict[str, object]:
        """Return values to try a template with: an invented school, agent and ticket."""
        from mailbot.desk.outbound.template_samples import sample

        return sample(name, language)

    def _templates(self, name: str, language: str) -> tuple[Template, Template, Template]:
        key = (name, language)
        if key not in self._compiled:
            environment = self._environments[language]
            subject, text, html = (environment.get_template(f"{name}.{language}.{part}.j2") for part in PARTS)
            self._compiled[key] = (subject, text, html)
        return self._compiled[key]

    def _unused_files(self) -> list[str]:
        """Return problems with files in the admin's folder that would never be used: most likely mistyped."""
        if self._overrides is None:
            return []
        wanted = [f"{name}.{language}.{part}.j2" for name in TEMPLATES for language in LANGUAGES for part in PARTS]
        problems = []
        for file in sorted(self._overrides.rglob("*.j2")):
            path = file.relative_to(self._overrides).as_posix()
            if "/" in path and not file.name.startswith("_") and path not in wanted:
                nearest = get_close_matches(path, wanted, n=1)
                hint = f"; did you mean {nearest[0]}?" if nearest else ""
                problems.append(f"{file}: no mail has this name{hint} (a part that others include starts with _)")
        return problems


def packaged_templates() -> Path:
    """Return the folder of mailbot's own templates: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[2]
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


class _Loader(FileSystemLoader):
    """Loads files, HTML without its indentation: mails stay small, templates legible, line numbers right."""

    def __init__(self, folders: list[Path]) -> None:
        super().__init__([str(folder) for folder in folders])

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source, filename, up_to_date = super().get_source(environment, template)
        if template.endswith(".html.j2"):
            source = re.sub(r"^[ \t]+", "", source, flags=re.MULTILINE)
        return source, filename, up_to_date


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, which lets the fields of our own frozen views through without its twenty checks for each."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if attribute in _FIELDS.get(type(obj), ()):
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)


_FIELDS: dict[type, frozenset[str]] = {
    view: frozenset(field.name for field in fields(view))
    for view in (
        DeskView,
        PersonView,
        FileView,
        HeldView,
        EntryView,
        TicketView,
        FaultView,
        ConditionView,
        WaitingView,
        HeldMailView,
        OutcomeView,
    )
}


def _environment(loader: FileSystemLoader, language: str, zone: ZoneInfo) -> Environment:
    """Return one language's environment, whose filters know the language and the zone."""
    environment = _Sandbox(
        loader=loader,
        undefined=StrictUndefined,
        # Whatever is not certainly plain text is escaped, so that a part included by HTML is safe.
        autoescape=lambda name: name is None or not name.endswith((".txt.j2", ".subject.j2")),
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    filters: dict[str, Callable[..., Any]] = {
        "stamp": lambda at: format_stamp(at, language, zone),
        "moment": lambda at: format_moment(at, language, zone),
        "status_words": STATUSES[language].__getitem__,
        "status_explanation": STATUS_EXPLANATIONS[language].__getitem__,
        "priority_words": PRIORITIES[language].__getitem__,
        "role_words": ROLES[language].__getitem__,
        "held_words": WITHHELD_FILE[language].__getitem__,
        "kind_words": lambda kind: KINDS[language].get(kind, kind),
        "size": lambda size: format_size(size, language),
        "greet": _greet,
        "full": _full,
        "quote": _quote,
        "excerpt": _excerpt,
        "paragraphs": _paragraphs,
    }
    environment.filters.update(filters)
    environment.globals.update(language=language, marker=MARKERS[language])
    return environment


def _greet(person: PersonView) -> str:
    """Return the name with a blank before it, to follow "Yth. Bapak/Ibu"; "" where it is not plainly a name."""
    name = greeting_name(person.name)
    return f" {name}" if name else ""


def _full(person: PersonView) -> str:
    return f"{person.name} <{person.email}>" if person.name else person.email


def _quote(text: str) -> str:
    """Return every line behind "> ", as mail clients quote."""
    return "\n".join(f"> {line}".rstrip() for line in text.strip("\n").split("\n"))


def _excerpt(text: str) -> str:
    """Return the beginning of a long text, cut between words."""
    if len(text) <= _EXCERPT:
        return text
    return text[:_EXCERPT].rsplit(None, 1)[0] + " …"


def _paragraphs(text: str) -> Markup:
    """Plain words as HTML: escaped, line breaks and runs of spaces kept."""
    safe = str(escape(text.strip("\n")))
    if "  " in safe or "\t" in safe:
        safe = safe.replace("\t", "    ").replace("  ", " &nbsp;")
    return Markup(safe.replace("\n", "<br>\n"))  # noqa: S704 - escaped two lines above


def _run(template: Template, values: dict[str, Any]) -> str:
    """Return `template.render(values)`, where `values` include the globals: copying these took a third of the time."""
    environment = template.environment
    context = environment.context_class(environment, values, template.name, template.blocks)
    return "".join(template.root_render_func(context))


def _fault(error: Exception, name: str) -> str:
    """Return `FILE, line N: what is wrong` for whatever rendering raised."""
    if isinstance(error, TemplateSyntaxError):
        return f"{error.filename or name}, line {error.lineno}: {error.message}"
    if isinstance(error, TemplateNotFound):
        return f"{name}: the template {error.name} is missing"
    where = name
    for frame, line in traceback.walk_tb(error.__traceback__):
        # Compiled templates keep a table from their own lines to the file's; the innermost one is at fault.
        template = frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            where = f"{template.filename}, line {template.get_corresponding_lineno(line)}"
    what = error.message if isinstance(error, TemplateError) else f"{type(error).__name__}: {error}"
    return f"{where}: {what}"
