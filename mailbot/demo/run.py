"""Runs the demo: the simulation, the tour in the terminal, the page, and a clean exit on Ctrl-C.

In: the options of the command line. Out: the exit code. The process's signals are handled here and nowhere else.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import webbrowser
from types import FrameType

from rich.console import Console

from mailbot.demo.background_server import HOST
from mailbot.demo.simulation import Simulation


def run_demo(*, tour: bool, page: bool, port: int, speed: float, browser: bool) -> int:
    """Start the simulation; play the tour and serve the page if asked to."""
    logging.getLogger("mailbot").setLevel(logging.ERROR)  # the demo prints what happens itself
    console = Console(highlight=False)
    with Simulation(1.0 if tour else speed) as simulation:
        if tour:
            from mailbot.demo.terminal import play_in_terminal

            code = play_in_terminal(simulation)
            if code or not page:
                return code
            simulation.set_speed(speed)
        return _serve(simulation, console, port, browser) if page else 0


def _serve(simulation: Simulation, console: Console, port: int, browser: bool) -> int:
    """Serve the page until SIGINT or SIGTERM."""
    from mailbot.demo.page_server import PageServer
    from mailbot.demo.session import Session

    session = Session(simulation)
    server = PageServer(session, port)
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        if ended.is_set():
            os._exit(130)  # a second Ctrl-C exits at once
        ended.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    server.start()
    try:
        _greet(console, server.address, port not in (0, server.port), simulation.mail_ports)
        if browser:
            threading.Thread(target=webbrowser.open, args=(server.address,), daemon=True).start()
        while server.is_alive() and not ended.wait(0.5):
            pass  # short waits: Python handles signals between them on every system
    finally:
        server.stop()
        session.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
    console.print("  [dim]Selesai; tidak ada yang tertinggal. / Done; nothing is left behind.[/]")
    return 0


def _greet(console: Console, address: str, other_port: bool, mail_ports: tuple[int, int]) -> None:
    """Print where the page is, and how to end it."""
    if other_port:
        console.print("\n  [yellow]Port itu sedang dipakai, maka dipilih yang lain. / That port is taken.[/]")
    console.print(f"\n  [bold]mailbot demo[/]  →  [bold link={address}]{address}[/]\n", soft_wrap=True)
    imap, smtp = mail_ports
    console.print(f"  [dim]IMAP {HOST}:{imap} · SMTP {HOST}:{smtp} · hanya di komputer ini / on this machine only[/]")
    console.print("  [dim]Ctrl-C mengakhiri / ends it[/]\n")
