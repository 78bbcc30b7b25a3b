"""Running the demo: the world, the tour in the terminal, the page, and a clean end by Ctrl-C.

In: what the command line asked for. Out: the exit code. The process's signals are handled here and nowhere else.
"""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
import webbrowser
from types import FrameType

import uvicorn
from rich.console import Console

from mailbot.demo.background import HOST
from mailbot.demo.world import World

# A tab's event stream is open for ever; how long it may hold up the end, seconds.
GRACE = 1


def run_demo(*, tour: bool, page: bool, port: int, speed: float, browser: bool) -> int:
    """Start the world, play the tour if asked for, leave the page open if asked for."""
    logging.getLogger("mailbot").setLevel(logging.ERROR)  # the demo tells its story itself
    console = Console(highlight=False)
    with World(1.0 if tour else speed) as world:
        if tour:
            from mailbot.demo.terminal import play_in_terminal

            code = play_in_terminal(world)
            if code or not page:
                return code
            world.set_speed(speed)
        return _serve(world, console, port, browser) if page else 0


def _serve(world: World, console: Console, port: int, browser: bool) -> int:
    """Serve the page until SIGINT or SIGTERM."""
    from mailbot.demo.page import make_app
    from mailbot.demo.session import Session

    listener = _listener(port, console)
    address = f"http://{HOST}:{listener.getsockname()[1]}/"
    session = Session(world)
    app = make_app(session, lambda: listener.getsockname()[1])
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=GRACE)
    )
    ended = threading.Event()
    before = {number: signal.signal(number, _ender(ended)) for number in (signal.SIGINT, signal.SIGTERM)}
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="demo-page", daemon=True)
    thread.start()
    try:
        imap, smtp = world.mail_ports
        console.print(f"\n  [bold]mailbot demo[/]  →  [bold link={address}]{address}[/]\n")
        console.print(f"  [dim]IMAP {HOST}:{imap} · SMTP {HOST}:{smtp} · semuanya hanya di komputer ini[/]")
        console.print("  [dim]Ctrl-C mengakhiri / ends it[/]")
        if browser:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        while not ended.wait(0.5) and thread.is_alive():
            pass  # a wait without an end would not let Python handle the signal on every system
    finally:
        server.should_exit = True
        thread.join(GRACE + 5)
        listener.close()
        session.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
    console.print("\n  [dim]Selesai. Tidak ada yang tertinggal di komputer ini.[/]")
    return 0


def _ender(ended: threading.Event) -> "signal._HANDLER":  # noqa: UP037  # a name of the stubs only
    def end(number: int, frame: FrameType | None) -> None:
        if ended.is_set():
            sys.exit(130)  # a second Ctrl-C: at once
        ended.set()

    return end


def _listener(port: int, console: Console) -> socket.socket:
    """A listening socket on that port, or on a free one where it is taken."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError:
        console.print(f"  [yellow]Port {port} is taken; another one is used.[/]")
        listener.bind((HOST, 0))
    listener.listen(128)
    return listener
