"""`mailbot replay`: an archive through the whole desk, at the times when its mails came; nothing is sent."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli.options import (
    AsJson,
    ConfigFile,
    alone,
    settings_if_any,
)
from mailbot.errors import NotPossible, UsageError

if TYPE_CHECKING:
    from mailbot.cli.mail_files import Sources
    from mailbot.config.model import Settings
    from mailbot.diagnostics.replay.archive import Survey


def replay(
    context: typer.Context,
    archive: Annotated[list[Path], typer.Argument(metavar="MBOX|MAILDIR|FOLDER", help="The archive; several are one.")],
    address: Annotated[
        str, typer.Option(metavar="EMAIL", help="The desk's address; else the configuration's, else guessed.")
    ] = "",
    agents: Annotated[
        str, typer.Option(metavar="EMAIL,…", help="Who answered, beside the configuration's agents.")
    ] = "",
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with charts as well.")] = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """What would have happened to an archive's mail: tickets, threads, robots, quarantine, reminders, closings.

    It runs on a throw-away desk. Nothing is sent, and the desk in service is not touched.
    """
    from mailbot.cli import output
    from mailbot.cli.mail_files import find
    from mailbot.cli.replay_view import print_findings

    if html is not None and html.is_dir():
        raise UsageError(f"--html: {html} is a folder; name a file")
    if any(str(name) == "-" for name in archive):
        raise UsageError("-: an archive is read twice, which stdin can't be; name a file")
    sources = find(archive)
    settings = settings_if_any(context)
    found = _run(sources, settings, _address(address), _addresses(agents))
    if html is not None:
        from mailbot.diagnostics.replay.page import page

        try:
            html.write_text(page(found), encoding="utf-8")
        except OSError as error:
            raise NotPossible(f"{html}: can't be written ({error.strerror})") from error
    if as_json:
        output.print_json(found)
        return
    print_findings(found)
    if html is not None:
        output.say(f"{html}: open it in a browser.")


def _run(sources: Sources, settings: Settings | None, address: str, agents: tuple[str, ...]) -> dict[str, Any]:
    from mailbot.cli.mail_files import progress_bar, read_again
    from mailbot.diagnostics.replay.engine import Replay, settings_for_replay
    from mailbot.diagnostics.replay.findings import findings

    survey = _survey(sources)
    if not survey.letters:
        raise UsageError("there is no mail in it")
    if not address and settings is None:
        address = survey.desk_address
        _say_whose(survey)
    started = time.monotonic()
    with Replay(
        lambda folder: settings_for_replay(settings, folder, address=address, agents=agents), survey.letters[0].at
    ) as run:
        with progress_bar("replaying", len(survey.letters)) as advance:
            for number, letter in enumerate(survey.letters, 1):
                try:
                    raw = read_again(letter.file, letter.start, letter.size)
                except OSError:
                    run.skip(letter)
                else:
                    run.take(letter, raw)
                advance(number)
        run.finish()
        return findings(run, survey, time.monotonic() - started)


def _survey(sources: Sources) -> Survey:
    """First pass: when each mail came."""
    from mailbot.cli.mail_files import Sources, progress_bar
    from mailbot.diagnostics.replay.archive import Surveyor
    from mailbot.runtime.clock import SystemClock

    surveyor = Surveyor(SystemClock().now())
    total = sum(file.stat().st_size for file in sources.files)
    done = 0
    with progress_bar("reading dates", total // 1024) as advance:
        for file in sources.files:
            for mail in Sources((file,)).mails():
                surveyor.note(mail.raw, file, mail.start, mail.size, mail.place)
                done += mail.size
                advance(done // 1024)
    return surveyor.survey()


def _say_whose(survey: Survey) -> None:
    from mailbot.cli import output

    if survey.desk_address:
        share = f"it is in {survey.desk_share:.0%} of the mails"
        output.say(f"The desk's address is taken to be {survey.desk_address}: {share}. --address says otherwise.")
    else:
        output.say("No address is in most of the mails: --address tells which is the desk's.")


def _address(given: str) -> str:
    from mailbot.mail.compose.composer import is_usable

    if given and not is_usable(given.strip().lower()):
        raise UsageError(f"{given}: is no e-mail address")
    return given.strip().lower()


def _addresses(given: str) -> tuple[str, ...]:
    return tuple(_address(each) for each in given.split(",") if each.strip())


app = alone(
    "replay",
    replay,
    "mailbot replay 2024.mbox --html 2024.html",
    "mailbot replay ~/Maildir --address support@school.example --agents sally@school.example",
)
