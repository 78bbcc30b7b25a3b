"""`mailbot replay`: run an archive through the whole desk, at the times of its mails; nothing is sent."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli import output
from mailbot.cli.options import AsJson, ConfigFile, settings_if_any, single
from mailbot.errors import NotPossible, UsageError

if TYPE_CHECKING:
    from mailbot.cli.mail_files import MailFiles
    from mailbot.config.model import Settings
    from mailbot.diagnostics.replay.archive import Survey


def replay(  # noqa: PLR0913 - one parameter per option
    context: typer.Context,
    archive: Annotated[
        list[Path], typer.Argument(metavar="MBOX|MAILDIR|FOLDER", help="The archive; several are treated as one.")
    ],
    address: Annotated[
        str, typer.Option(metavar="EMAIL", help="The helpdesk's address; default: the configured one, or a guess.")
    ] = "",
    agents: Annotated[str, typer.Option(metavar="EMAIL,…", help="Agents besides the configured ones.")] = "",
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write a page with charts.")] = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Show what would have happened to an archive's mail: tickets, threads, auto-replies, quarantine, reminders.

    It runs on a temporary desk. Nothing is sent, and the real desk is not touched.
    """
    from mailbot.cli.mail_files import find_mail_files
    from mailbot.cli.replay_view import print_findings

    if html is not None and html.is_dir():
        raise UsageError(f"--html: {html} is a folder; name a file")
    if any(str(name) == "-" for name in archive):
        raise UsageError("-: an archive is read twice, which stdin can't be; name a file")
    files = find_mail_files(archive)
    settings = settings_if_any(context)
    summary = _run(files, settings, _address(address), _addresses(agents))
    if html is not None:
        from mailbot.diagnostics.replay.page import page

        try:
            html.write_text(page(summary), encoding="utf-8")
        except OSError as error:
            raise NotPossible(f"{html}: can't be written ({error.strerror})") from error
    if as_json:
        output.print_json(summary)
        return
    print_findings(summary)
    if html is not None:
        output.say(f"{html}: open it in a browser.")


def _run(files: MailFiles, settings: Settings | None, address: str, agents: tuple[str, ...]) -> dict[str, Any]:
    from mailbot.cli.mail_files import progress_bar, read_again
    from mailbot.diagnostics.replay.engine import Replay, settings_for_replay
    from mailbot.diagnostics.replay.findings import findings

    survey = _survey(files)
    if not survey.mails:
        raise UsageError("the archive has no mail")
    if not address and settings is None:
        address = survey.desk_address
        _report_guess(survey)
    started = time.monotonic()
    with Replay(
        lambda folder: settings_for_replay(settings, folder, address=address, agents=agents), survey.mails[0].at
    ) as run:
        with progress_bar("replaying", len(survey.mails)) as advance:
            for number, mail in enumerate(survey.mails, 1):
                try:
                    raw = read_again(mail.file, mail.offset, mail.size)
                except OSError:
                    run.skip(mail)
                else:
                    run.receive(mail, raw)
                advance(number)
        run.finish()
        return findings(run, survey, time.monotonic() - started)


def _survey(files: MailFiles) -> Survey:
    """Read the archive once, for the time and author of each mail."""
    from mailbot.cli.mail_files import MailFiles, progress_bar
    from mailbot.diagnostics.replay.archive import Surveyor
    from mailbot.runtime.clock import SystemClock

    surveyor = Surveyor(SystemClock().now())
    total = sum(file.stat().st_size for file in files.files)
    done = 0
    with progress_bar("reading dates", total // 1024) as advance:
        for file in files.files:
            for mail in MailFiles((file,)).mails():
                surveyor.add(mail.raw, file, mail.offset, mail.size, mail.location)
                done += mail.size
                advance(done // 1024)
    return surveyor.survey()


def _report_guess(survey: Survey) -> None:
    if survey.desk_address:
        share = f"it is in {survey.desk_share:.0%} of the mails"
        output.say(f"Taking {survey.desk_address} for the helpdesk's address: {share}. Use --address for another one.")
    else:
        output.say("No address stands out as the helpdesk's: name it with --address.")


def _address(given: str) -> str:
    from mailbot.mail.compose.composer import is_usable

    if given and not is_usable(given.strip().lower()):
        raise UsageError(f"{given}: is no e-mail address")
    return given.strip().lower()


def _addresses(given: str) -> tuple[str, ...]:
    return tuple(_address(each) for each in given.split(",") if each.strip())


app = single(
    "replay",
    replay,
    "mailbot replay 2024.mbox --html 2024.html",
    "mailbot replay ~/Maildir --address support@school.example --agents sally@school.example",
)
