"""`mailbot demo`: the whole service on this machine, with no account anywhere.

An IMAP and an SMTP server in this process, the real daemon between them, two schools and two agents with a mail page in
the browser, a clock that obeys, and a guided tour of a ticket's life. Everything is bound to 127.0.0.1, lies in a
temporary folder, and is gone when it ends.
"""

from __future__ import annotations


def main(
    *, tour: bool = False, page: bool | None = None, port: int = 8025, speed: float = 1.0, open_browser: bool = True
) -> int:
    """Run the demo; the exit code.

    `tour`: play the tour in the terminal first. `page` (default: where there is no tour): leave the page open until
    Ctrl-C, on `port` (0: any free one), the clock at `speed` simulated seconds a second.
    """
    from mailbot.demo.run import run_demo

    return run_demo(tour=tour, page=not tour if page is None else page, port=port, speed=speed, browser=open_browser)
