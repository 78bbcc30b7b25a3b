"""The demo's page in a real Chromium: what people do there goes through the real desk and comes back."""

from __future__ import annotations

import os
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailbot.demo.page_server import PageServer
from mailbot.demo.people import SDN1
from mailbot.demo.sample_screenshot import screenshot
from mailbot.demo.session import Session
from mailbot.demo.simulation import Simulation
from mailbot.demo.tour import steps
from tests.support.chromium import Chromium

pytestmark = pytest.mark.chromium

PC, PHONE = (1280, 800), (360, 740)
# MAILBOT_SHOTS names a folder for pictures of what was seen, for people who want to look.
SHOTS = os.environ.get("MAILBOT_SHOTS", "")


class Page:
    """A served world and a browser that looks at it."""

    def __init__(self, browser: Chromium, server: PageServer, session: Session, width: int) -> None:
        self.browser, self.session = browser, session
        self._width = width
        self._port = server.port
        browser.open(server.address)

    @property
    def simulation(self) -> Simulation:
        return self.session.simulation

    def choose(self, person: str) -> None:
        """Show a person's mailbox."""
        if self._width < 700:
            self.browser.click("[data-go=mail]")
            if self.browser.js("document.body.dataset.reading") == "yes":
                self.browser.click(".go-back")
        self.browser.click(f"#person-{person}")
        self.browser.wait(f"document.querySelector('#person-{person}').getAttribute('aria-selected') === 'true'")

    def open_newest(self, person: str, kind: str) -> None:
        """Open the newest conversation of a person, whose last mail is of that kind."""
        self.choose(person)
        self.browser.wait(f"document.querySelector('#threads .thread .chip.{kind}')")
        self.browser.click("#threads .thread")
        self.browser.wait(f"document.querySelector('.letter:last-of-type[data-kind={kind}] .actions')")
        # The frame grows when the mail is loaded, and moves what is below it: a click before that would miss.
        self.browser.wait("document.querySelector('.letter:last-of-type iframe')?.contentDocument?.body?.innerText")

    def reply(self, text: str) -> None:
        """Reply to the newest mail of the open conversation."""
        self.browser.click(".letter:last-of-type .reply")
        self.browser.wait("document.querySelector('#writer').open")
        self.browser.type("#writer-text", text)
        self.send()

    def send(self) -> None:
        """Send what was written, and wait until the page has taken it up."""
        self.browser.click("#writer-send")
        self.browser.wait("!document.querySelector('#writer').open")

    def show_desk(self) -> None:
        """On a phone the tickets are behind a button."""
        if self._width < 1000:
            self.browser.click("[data-go=desk]")

    def ticket(self, number: int, *words: str) -> None:
        """Wait until the ticket's row says these words."""
        self.browser.wait(f"document.querySelector('[data-ticket=\"{number}\"]')")
        for word in words:
            self.browser.wait(f"document.querySelector('[data-ticket=\"{number}\"]').textContent.includes({word!r})")

    def fits(self, name: str) -> None:
        """Nothing sticks out sideways; keeps a picture if one is wanted."""
        if SHOTS:
            self.browser.screenshot(Path(SHOTS, f"{self._width}-{name}.png"))
        assert self.browser.js("document.documentElement.scrollWidth") <= self._width
        assert self.browser.js("document.body.scrollHeight") <= self.browser.js("innerHeight")


@pytest.fixture(params=[PC, PHONE], ids=["pc", "phone"])
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    width, height = request.param
    with Simulation() as simulation:
        session = Session(simulation, fast_forward_seconds=1.0)
        server = PageServer(session)
        server.start()
        try:
            with Chromium(width, height) as browser:
                one = Page(browser, server, session, width)
                yield one
                assert browser.errors == []
        finally:
            server.stop()
            session.stop()


def test_a_report_is_answered_reminded_closed_and_followed_up(page: Page, tmp_path: Path) -> None:
    browser, picture = page.browser, tmp_path / "bukti.png"
    picture.write_bytes(screenshot())
    page.fits("start")
    # A school writes, with a file, and gets a number.
    browser.click("#compose")
    browser.type("#writer-subject", "Tidak bisa tutup BKU")
    browser.type("#writer-text", "BKU bulan Oktober tidak bisa ditutup.")
    browser.attach("#writer-file", picture)
    browser.wait("document.querySelector('#writer-files').textContent.includes('bukti.png')")
    page.fits("write")
    page.send()
    page.show_desk()
    page.ticket(12345, "Tidak bisa tutup BKU", "Dalam Antrean", "belum ada petugas")
    page.fits("queued")
    # The agent reads it, with the file, and answers.
    page.open_newest("sally", "notification")
    browser.wait("document.querySelector('.letter .files img')?.complete")
    assert "bukti.png" in browser.text(".letter .files")
    page.fits("notification")
    page.reply("Boleh infokan NPSN sekolah Bapak/Ibu?")
    page.show_desk()
    page.ticket(12345, "menunggu balasan dari pelapor", "Sally", "Pengingat dalam")
    # The answer is in the school's mailbox, under the agent's name.
    page.open_newest("sdn1", "answer")
    assert browser.text(".letter:last-of-type .head strong") == "Sally (BOSP)"
    browser.click('.letter:last-of-type [data-way="text"]')
    browser.wait("document.querySelector('.letter:last-of-type pre')?.innerText.includes('Boleh infokan NPSN')")
    page.fits("answer")
    # Time passes: 6 hours bring the reminder, 48 the closure.
    browser.click("#jump")
    browser.wait("document.querySelector('.letter[data-kind=reminder]')")
    assert page.simulation.clock.now().hour in (8, 9)  # 15:00 WIB and a little
    browser.click('[data-speed="3600"]')
    browser.wait("document.querySelector('[data-speed=\"3600\"]').getAttribute('aria-pressed') === 'true'")
    for _ in range(7):
        browser.click("#jump")
    browser.wait("document.querySelector('.letter:last-of-type[data-kind=closure] .actions')", 40)
    browser.click('[data-speed="1"]')
    page.show_desk()
    page.ticket(12345, "Sudah Selesai")
    # The school disagrees, by the words that the notice suggests.
    page.open_newest("sdn1", "closure")
    browser.click(".letter:last-of-type .reply")
    browser.wait("document.querySelector('#writer').open")
    browser.click("#suggestions button")
    assert browser.js("document.querySelector('#writer-text').value") == "Kendala masih terjadi"
    page.send()
    page.show_desk()
    page.ticket(12346, "lanjutan #12345", "Sally")
    page.ticket(12345, "dilanjutkan #12346")
    page.fits("follow-up")
    # The history of the first ticket has it all.
    browser.click('[data-ticket="12345"]')
    browser.wait("document.querySelector('#history').open")
    history = browser.text("#history-body")
    for words in ("Oktober tidak bisa ditutup.", "bukti.png", "Boleh infokan NPSN", "tanpa balasan", "#12346"):
        assert words in history
    page.fits("history")
    browser.key("Escape")
    browser.wait("!document.querySelector('#history').open")


@pytest.mark.slow
def test_the_tour_does_each_step_and_shows_its_mail(page: Page) -> None:
    browser = page.browser
    page.show_desk()
    for position, step in enumerate(steps(), 1):
        browser.click("#tour-next")
        browser.wait(
            f"document.querySelector('#tour small')?.innerText === 'Langkah {position} dari {len(steps())}'"
            " && !document.querySelector('#tour .doing')",
            40,
        )
        assert browser.js("document.querySelector('#tour .error')?.innerText") is None
        assert browser.text("#tour h3") == step.words["id"].title
        if position == 6:
            page.fits("tour")
    assert "giliran Anda" in browser.text("#tour")
    page.ticket(12346, "Sudah Selesai")
    assert browser.js("document.querySelector('#tour-next')") is None
    # Back, in English: the words of the step before.
    browser.click("[data-key=previous]")
    browser.click("#language")
    browser.wait(f"document.querySelector('#tour h3').innerText === {steps()[-2].words['en'].title!r}")
    browser.click("#tour [data-key=show]")
    browser.wait("document.querySelector('.letter')")
    # A fresh start empties everything.
    browser.click("#restart")
    browser.wait("!document.querySelector('.ticket') && document.querySelector('#tour-next')", 40)
    assert page.simulation.mailboxes.all() == []


@pytest.mark.parametrize("page", [PC], ids=["pc"], indirect=True)
def test_a_mail_can_neither_run_scripts_nor_call_outside(page: Page) -> None:
    message = EmailMessage()
    message["From"], message["To"] = "sally@helpdesk.example", SDN1.email
    message["Subject"] = "<img src=x onerror=\"document.title='taken'\">"
    message.set_content("teks")
    message.add_alternative(
        "<p id=seen>isi surat</p><script>parent.document.title = 'taken'</script>"
        "<img src='https://tracker.example/pixel.png'><img src=x onerror=\"parent.document.title='taken'\">"
        "<form action='https://evil.example'><input type=submit></form>",
        subtype="html",
    )
    _imap, smtp = page.simulation.mail_ports
    with smtplib.SMTP("127.0.0.1", smtp) as connection:
        connection.send_message(message)
    browser = page.browser
    browser.click("#threads .thread")
    browser.wait("document.querySelector('.letter iframe')?.contentDocument?.querySelector('#seen')")
    assert browser.text(".letter .names strong") == "sally@helpdesk.example"
    assert browser.text("#reader header h2").startswith("<img src=x")  # text, not an element
    assert "taken" not in browser.js("document.title")
    assert browser.js("document.querySelector('.letter iframe').contentWindow.performance.getEntriesByType('resource')"
                      ".filter(e => e.transferSize > 0).length") == 0  # fmt: skip
    # The browser says itself that it held back the script and the pictures.
    assert any("script" in error for error in browser.errors)
    assert any("tracker.example" in error for error in browser.errors)
    browser.errors.clear()
    browser.click('[data-way="raw"]')
    browser.wait("document.querySelector('.raw')?.innerText.includes('tracker.example/pixel.png')")


@pytest.mark.parametrize("page", [PC], ids=["pc"], indirect=True)
def test_the_keyboard_is_enough(page: Page) -> None:
    browser = page.browser
    browser.js("document.querySelector('#person-sdn1').focus()")
    browser.key("ArrowRight")
    browser.wait("document.activeElement.id === 'person-smpn3'")
    assert "SMPN 3 Sleman" in browser.text("#who")
    browser.js("document.activeElement.blur()")
    browser.key("c")
    browser.wait("document.querySelector('#writer').open && document.activeElement.id === 'writer-subject'")
    browser.key("Escape")
    browser.wait("!document.querySelector('#writer').open")
    names = browser.js(
        "[...document.querySelectorAll('button, input, textarea')].filter(e => e.offsetParent !== null)"
        ".filter(e => !(e.innerText || e.getAttribute('aria-label') || e.labels?.length)).map(e => e.outerHTML)"
    )
    assert names == []  # everything that can be worked has a name


@pytest.mark.parametrize("page", [PHONE], ids=["phone"], indirect=True)
def test_an_out_of_office_reply_from_the_page_is_not_answered(page: Page) -> None:
    browser = page.browser
    browser.click("#compose")
    browser.type("#writer-subject", "Lupa kata sandi")
    browser.type("#writer-text", "Mohon bantuannya.")
    page.send()
    page.open_newest("sdn1", "acknowledgement")
    browser.click(".letter:last-of-type .away")
    page.simulation.changes.wait_for(
        lambda: any(m["kind"] == "auto_reply" for m in (page.simulation.ticket(12345) or {"messages": []})["messages"]),
        20,
    )
    received = [mail.kind for mail in page.simulation.mailboxes.of(SDN1) if not mail.sent]
    assert received == ["acknowledgement"]
    ticket = page.simulation.ticket(12345)
    assert ticket is not None
    assert [m["kind"] for m in ticket["messages"] if m["direction"] == "in"] == ["report", "auto_reply"]
