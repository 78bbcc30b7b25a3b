"""`mailbot demo`: the whole service on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from mailbot.cli.options import single


def demo(  # noqa: PLR0913 - one parameter per option
    context: typer.Context,
    tour: Annotated[bool, typer.Option("--tour", help="Play a ticket's life in the terminal, then exit.")] = False,
    page: Annotated[bool, typer.Option("--page", help="With --tour: leave the page open afterwards.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page; 0: any free port.")] = 8025,
    speed: Annotated[float, typer.Option(min=1, help="Simulated seconds per real second.")] = 1.0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Don't open the page in a browser.")] = False,
) -> None:  # fmt: skip
    """Show the whole service on this machine, with no account anywhere: mail server, mailboxes, fast clock."""
    from mailbot.demo.run import run_demo

    raise typer.Exit(run_demo(tour=tour, page=page or not tour, port=port, speed=speed, browser=not no_browser))


app = single("demo", demo, "mailbot demo", "mailbot demo --tour")
