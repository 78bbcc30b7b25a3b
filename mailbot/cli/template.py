"""`mailbot template …`: the templates of outgoing mail, rendered with sample data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailbot.cli import output
from mailbot.cli.options import AsJson, ConfigFile, example, group, named_config
from mailbot.errors import NotPossible, UsageError

if TYPE_CHECKING:
    from mailbot.desk.outbound.templates import Rendered, Renderer

app = group("template", "The templates of outgoing mail: list and preview them.")

LANGUAGES = ("id", "en")
FORMS = ("eml", "txt", "html")


@app.command("list", epilog=example("mailbot template list"))
def list_(context: typer.Context, as_json: AsJson = False, config: ConfigFile = None) -> None:
    """List every template with its subject, rendered with sample data."""
    renderer = _renderer(context)
    subjects = {
        name: {lang: renderer.render(name, lang, renderer.sample(name, lang)).subject for lang in LANGUAGES}
        for name in renderer.names()
    }
    if as_json:
        output.print_json([{"name": name, "subjects": by_language} for name, by_language in subjects.items()])
        return
    rows = ((name, by_language["id"], by_language["en"]) for name, by_language in subjects.items())
    output.print_table(("template", "subject (id)", "subject (en)"), rows)


@app.command(
    epilog=example(
        "mailbot template preview requester/reminder_1",
        "mailbot template preview requester/answer --form html --out answer.html",
    )
)
def preview(  # noqa: PLR0913 - one parameter per option
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="From `mailbot template list`.", show_default=False)],
    language: Annotated[str, typer.Option(metavar="LANG", help='"id" or "en".')] = "id",
    form: Annotated[str, typer.Option(metavar="FORM", help='"eml" (a whole mail), "txt" or "html".')] = "eml",
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it here instead of to stdout.")] = None,
    config: ConfigFile = None,
) -> None:
    """Show one template as a mail, with sample data."""
    import sys

    if language not in LANGUAGES or form not in FORMS:
        raise UsageError(
            f"found --language {language} --form {form}; allowed: {'/'.join(LANGUAGES)}, {'/'.join(FORMS)}"
        )
    renderer = _renderer(context)
    if name not in renderer.names():
        raise NotPossible(f"There is no template {name}; there are: {', '.join(renderer.names())}.")
    data = _as_form(renderer, name, language, form)
    if out is None:
        sys.stdout.buffer.write(data)
        return
    try:
        out.write_bytes(data)
    except OSError as error:
        raise NotPossible(f"{out}: can't be written ({error.strerror})") from error


def _renderer(context: typer.Context) -> Renderer:
    """Return the configured templates; the packaged ones if there is no configuration."""
    from mailbot.config.layers import config_path
    from mailbot.config.load import load_settings
    from mailbot.config.model import Settings
    from mailbot.desk.wiring import make_renderer

    path = config_path(named_config(context))
    has_config = named_config(context) is not None or path.exists()
    return make_renderer(load_settings(path) if has_config else Settings())


def _as_form(renderer: Renderer, name: str, language: str, form: str) -> bytes:
    """Return the rendered mail as the content of a file of that form."""
    rendered = renderer.render(name, language, renderer.sample(name, language))
    if form == "txt":
        return rendered.text.encode()
    if form == "html":
        return rendered.html.encode()
    return _as_mail(rendered)


def _as_mail(rendered: Rendered) -> bytes:
    """Return a whole mail as the desk would send it, from and to invented people."""
    from datetime import UTC, datetime

    from mailbot.mail.compose.composer import Draft, compose, message_id
    from mailbot.mail.message import Address, MessageKind

    draft = Draft(
        kind=MessageKind.NOTICE,
        from_name="Helpdesk BOSP",
        from_email="support@helpdesk.example",
        to=Address("acha@sekolah.example", "Acha Lestari, S.Pd."),
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        message_id=message_id("preview", "helpdesk.example"),
        date=datetime(2025, 11, 21, 3, 12, 45, tzinfo=UTC),
    )
    return compose(draft)
