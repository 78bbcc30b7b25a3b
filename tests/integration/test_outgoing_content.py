"""The whole path: hostile mail in, and every mail that comes out is looked at."""

from __future__ import annotations

import base64
import itertools
import quopri
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailbot.mail.reply_token import read_tokens
from tests.support.outgoing import inspect
from tests.support.people import (
    ACHA,
    ADDRESS,
    BUDI,
    SALLY,
    WIRE,
    Sent,
    TryDesk,
)

SECRET = "RAHASIA sekolah ini pernah bermasalah"
counter = itertools.count(1)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TryDesk]:
    """One desk for many hostile mails, as a real one has."""
    desk = TryDesk(tmp_path_factory.mktemp("desk"))
    yield desk
    desk.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TryDesk]:
    opened = TryDesk(tmp_path)
    yield opened
    opened.close()


# Anything at all, from strangers

NASTY = [
    "\r\nBcc: korban@luar.example", "\nX-Injected: 1", "\r", "\0", "\x85", "\u2028", "\u202egpj.exe",
    "=?utf-8?q?=0D=0ABcc:?=", "=?utf-8?b?DQpCY2M6IHg=?=", "{{ 1337*7 }}", "{% for x in range(9) %}z{% endfor %}",
    "{{ desk.__class__.__mro__ }}", "{#", "<script>alert(1)</script>", "<img src=http://jejak.example/p.gif>",
    "<a href='javascript:x'>", "--=_x", "</td></table>", "\" onmouseover=\"x", "&lt;b&gt;", "'; DROP TABLE ticket; --",
    "%s %(x)s %n", "\ud83d\ude00", "a" * 1200, "é" * 300, "😀" * 90, "#12345", "#selesai", ",;<>@:\\\"()",
    "../../etc/passwd", "CON", ".", "  ", "\t", "\u0000\u0007", "=_", "..\n.\n",
]  # fmt: skip
nasty = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=12)), max_size=4).map("".join)


def hostile(sender: str, name: str, subject: str, text: str, message_id: str, references: str, file: str) -> bytes:
    """A mail by hand, since no proper program would write one like that."""

    def word(value: str) -> str:
        raw = value.encode("utf-8", "surrogatepass")
        return f"=?utf-8?b?{base64.b64encode(raw).decode()}?="

    def plain(value: str) -> str:
        return value.replace("\r", "").replace("\n", "").replace("\0", "")

    head = (
        f"From: {word(name)} <{sender}>\r\nTo: {ADDRESS}\r\nSubject: {word(subject)}\r\n"
        f"Message-ID: <{plain(message_id)}>\r\n"
        f"References: {plain(references)}\r\nDate: Mon, 3 Nov 2025 10:00:00 +0700\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="batas"\r\n\r\n'
    )
    encoded = quopri.encodestring(text.encode("utf-8", "surrogatepass")).decode()
    parts = (
        "--batas\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        f"{encoded}\r\n--batas\r\nContent-Type: application/pdf\r\n"
        f'Content-Disposition: attachment; filename="{word(file)}"\r\n\r\n%PDF-1\r\n--batas--\r\n'
    )
    return (head + parts).encode("utf-8", "surrogatepass")


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(nasty, nasty, nasty, nasty, nasty, nasty)
def test_nothing_that_strangers_write_breaks_out(
    shared: TryDesk, name: str, subject: str, text: str, message_id: str, references: str, file: str
) -> None:
    sender = f"guru{next(counter)}@sekolah{next(counter)}.example"
    before = len(shared.sent)
    shared.feed(hostile(sender, name, subject, text, message_id, references, file))
    for sent in shared.sent[before:]:
        assert sent.recipient in (sender, SALLY, BUDI)
        message = inspect(sent)
        assert "9359" not in str(message["Subject"])
        if sent.kind == "acknowledgement":
            body = sent.text
            assert "jejak.example" not in body.split("#", 1)[0]
            assert not sent.files
    assert not any(m.kind == "notice" and "gagal" in m.text for m in shared.sent[before:])


@pytest.mark.parametrize(
    "words", ["{{ 1337*7 }}", "{% raw %}x", "{{ ticket.__class__ }}", "{# x #}", "${1337*7} #{1337*7} <%= 1337*7 %>"]
)
def test_templates_are_never_made_of_what_people_write(desk: TryDesk, words: str) -> None:
    number = desk.opened(f'"{words}" <{ACHA}>', subject=words, text=words, files=[(f"{words}.pdf", b"%PDF-1")])
    told = desk.last(SALLY, "notification")
    assert words in told.text
    assert f"#{number} - {words}" == told["Subject"]
    desk.reply(told, SALLY, words)
    desk.pass_time(hours=7)
    desk.pass_time(hours=42)
    for sent in desk.sent:
        assert "9359" not in inspect(sent).get_body(("html",)).get_content()  # type: ignore[union-attr]
        assert "9359" not in sent.text
    assert words in desk.last(ACHA, "answer").text
    assert words in desk.last(ACHA, "reminder").text


# Agents


def as_agent(desk: TryDesk, told: Sent, text: str | None, *, html: str = "", subject: str = "", **more: Any) -> None:
    """Sally writes to the signed address, in a form of the test's own."""
    mail = EmailMessage()
    mail["From"], mail["To"] = f"Sally <{more.get('sender', SALLY)}>", getaddresses([told["Reply-To"]])[0][1]
    mail["Subject"] = subject or f"Re: {told['Subject']}"
    mail["Message-ID"] = f"<{next(counter)}.petugas@helpdesk.example>"
    mail["In-Reply-To"], mail["Date"] = told["Message-ID"], format_datetime(desk.clock.now())
    if text is not None:
        mail.set_content(text, cte=more.get("cte"))
    if html:
        mail.add_alternative(html, subtype="html") if text is not None else mail.set_content(html, subtype="html")
    for content, kind, name in more.get("files", ()):
        if isinstance(content, EmailMessage):
            mail.add_attachment(content)
        else:
            mail.add_attachment(content, maintype=kind.split("/")[0], subtype=kind.split("/")[1], filename=name)
    desk.feed(mail.as_bytes(policy=WIRE))


def with_history(desk: TryDesk) -> Sent:
    """A ticket with an internal note in its history; the newest notification to Sally."""
    desk.opened(text="BKU Oktober tidak bisa ditutup karena saldo minus.\nMohon bantuannya.")
    desk.reply(desk.last(SALLY, "notification"), SALLY, f"#catatan\n{SECRET}.")
    desk.reply(desk.answered("Mohon kirim tangkapan layar."), ACHA, "Saldo masih minus juga.")
    told = desk.last(SALLY, "notification")
    assert SECRET in told.text
    return told


def token_of(sent: Sent) -> str:
    return str(read_tokens(sent["Reply-To"])[0])


def quoted(text: str, mark: str = "> ") -> str:
    return "\n".join(f"{mark}{line}" for line in text.splitlines())


def replies(told: Sent) -> dict[str, str]:
    """Sally's words in the forms that mail programs give them, with everything that they quote."""
    address, token = getaddresses([told["Reply-To"]])[0][1], token_of(told)
    head = f"From: Helpdesk BOSP <{address}>\nSent: Monday, 3 November 2025 10:00\nTo: Sally <{SALLY}>"
    passed_on = f"Dari: Helpdesk BOSP <{address}>\nDate: Sen, 3 Nov 2025 pukul 10.00\nSubject: {told['Subject']}"
    note = told.text.index("RAHASIA") + 60
    pieces = told.text[:200], told.text[200:note], told.text[-300:]
    between = "{}\n\nWORDS\n\n{}\n\nya\n\n{}".format(*map(quoted, pieces))
    twice = f"> On 3 Nov 2025, at 10:00, Helpdesk <{address}> wrote:\n>\n{quoted(told.text, '> > ')}"
    quote = quoted(told.text)
    return {
        "gmail": f"WORDS\n\nPada tanggal Sen, 3 Nov 2025 pukul 15.10 Helpdesk <{address}> menulis:\n\n{quote}",
        "outlook": f"WORDS\n\n{'_' * 32}\n{head}\nSubject: {told['Subject']}\n\n{told.text}",
        "forwarded": f"WORDS\n\n---------- Forwarded message ---------\n{passed_on}\n\n{told.text}",
        "pasted below": f"WORDS\n\n{told.text}",
        "original message": f"WORDS\n\n-----Original Message-----\n{told.text}",
        "between the lines": f"On Mon, 3 Nov 2025, Helpdesk <{address}> wrote:\n{between}",
        "two levels": f"WORDS\n\nPada 4 Nov 2025 08.00, Sally <{SALLY}> menulis:\n> teruskan\n>\n{twice}",
        "signature": f"WORDS\n\n-- \nSally | {SALLY} | {address}",
        "no dashes": f"WORDS\n\nSally\nHP 0812\nE: {SALLY}, mailto:{address.replace('+', '%2B')}",
        "shouted": f"WORDS {address.upper()} {SALLY.upper()}",
        "wrapped": f"WORDS tulis ke support+{token[:11]}\n{token[11:]}@helpdesk.example",
        "id": f"WORDS, lihat {told['Message-ID']}",
    }


FORMS = (
    "gmail", "outlook", "forwarded", "pasted below", "original message", "between the lines", "two levels", "signature",
    "no dashes", "shouted", "wrapped", "id",
)  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("subject", "as_html"),
    [("", False), ("Fwd: #12345 - Tidak bisa tutup BKU", False), ("", True)],
    ids=["text", "forward", "html"],
)
def test_nothing_of_an_agents_mail_goes_to_the_school_but_their_words(
    desk: TryDesk, form: str, subject: str, as_html: bool
) -> None:
    told = with_history(desk)
    before = len(desk.sent)
    body = replies(told)[form].replace("WORDS", "Silakan unggah ulang lalu tutup lagi.")
    if as_html:
        lines = body.replace("&", "&amp;").replace("<", "&lt;").splitlines()
        as_agent(desk, told, None, html="".join(f"<div>{line or '<br>'}</div>" for line in lines), subject=subject)
    else:
        as_agent(desk, told, body, subject=subject)
    new = [sent for sent in desk.sent[before:] if sent.recipient == ACHA]
    if subject and form == "between the lines":  # a forward with words inside: Sally is told to write them above
        assert ([sent.kind for sent in new], desk.sent[-1].kind, desk.sent[-1].recipient) == ([], "notice", SALLY)
        return
    assert [sent.kind for sent in new] == ["answer"], [(m.recipient, m.kind, m.text) for m in desk.sent[before:]]
    [answer] = new
    message = inspect(answer)
    for part in ("plain", "html"):
        shown = message.get_body((part,)).get_content()  # type: ignore[union-attr]
        assert "unggah ulang" in shown
        assert SECRET[:7] not in shown
        assert "Riwayat" not in shown
        assert "#catatan" not in shown
        assert SALLY not in shown.lower()
    assert token_of(told)[-20:] not in answer.raw.decode().lower()
    assert BUDI not in answer.raw.decode()


def attached_notification(told: Sent) -> EmailMessage:
    return told.message


def test_a_notification_as_a_file_is_refused_with_a_mail(desk: TryDesk) -> None:
    told = with_history(desk)
    before = len(desk.sent)
    as_agent(desk, told, "Ini lampirannya.", files=[(attached_notification(told), "", "")])
    assert {sent.recipient for sent in desk.sent[before:]} == {SALLY}
    refusal = desk.last(SALLY, "notice")
    assert "email notifikasi untuk petugas" in refusal.text
    assert desk.ticket()["status"] == "in_progress"


def test_a_mail_of_the_desk_that_a_school_attaches_reaches_the_agent_without_its_token(desk: TryDesk) -> None:
    desk.opened()
    acknowledgement = desk.last(ACHA, "acknowledgement")
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = ACHA, ADDRESS, "lihat email ini"
    mail["Message-ID"], mail["Date"] = "<lampir@sekolah.example>", format_datetime(desk.clock.now())
    mail.set_content("Saya dapat email ini.")
    mail.add_attachment(acknowledgement.message)
    page = f"<a href='mailto:{acknowledgement['Reply-To'].replace('+', '%2B')}'>".encode()
    mail.add_attachment(page, maintype="text", subtype="html", filename="simpanan.html")
    desk.feed(mail.as_bytes(policy=WIRE))
    told = desk.last(SALLY, "notification")
    files = told.files
    assert len(files) == 2
    for content in files.values():
        joined = "".join((content if isinstance(content, str) else content.decode()).split())
        assert token_of(acknowledgement)[-20:] not in joined
        assert "support" in joined


def test_who_came_with_a_forced_merge_learns_of_nobody(desk: TryDesk) -> None:
    other = "lain@sekolah2.example"
    first = desk.opened()
    second = desk.opened(other, "Soal lain", "Kami juga.")
    assert (first, second) == (12345, 12346)
    told = [m for m in desk.to(SALLY, "notification") if "12346" in m["Subject"]][-1]
    desk.reply(told, SALLY, f"#gabung {first} paksa")
    told = [m for m in desk.to(SALLY, "notification") if "12345" in m["Subject"]][-1]
    before = len(desk.sent)
    as_agent(desk, told, f"Untuk {ACHA} dan {other}: sudah selesai.\n> Kami juga.\nDemikian.")
    new = [sent for sent in desk.sent[before:] if sent.recipient in (ACHA, other)]
    assert {sent.recipient for sent in new} == {ACHA, other}
    for sent in new:
        stranger = other if sent.recipient == ACHA else ACHA
        assert stranger not in sent.raw.decode()
        assert "Kami juga" not in sent.text
        inspect(sent)


def test_in_a_note_agents_may_name_each_other(desk: TryDesk) -> None:
    desk.opened()
    desk.reply(desk.last(SALLY, "notification"), SALLY, f"#catatan\nTanya {BUDI}.")
    assert desk.ticket()["messages"][-1]["text"] == f"Tanya {BUDI}." or any(
        m["text"] == f"Tanya {BUDI}." for m in desk.ticket()["messages"]
    )


def test_people_in_bcc_stay_unknown(desk: TryDesk) -> None:
    desk.write(ACHA, "Laporan", "Isi.", headers={"Bcc": "diam@sekolah.example"}, cc="kepsek@sekolah.example")
    desk.answered()
    for sent in desk.sent:
        assert b"diam@sekolah.example" not in sent.raw
        inspect(sent)
    assert {sent.recipient for sent in desk.sent} == {ACHA, "kepsek@sekolah.example", SALLY, BUDI}


NAMES = [
    "../../etc/passwd", "C:\\Windows\\win.pdf", "CON.pdf", "nul", "x\u202efdp.jpg", "titik...", "spasi .pdf ",
    "a\x00b\x1f.pdf", "é" * 300 + ".pdf", "dua.pdf.jpg", "", ".htaccess", "a;b=\"c\".pdf",
    "=?utf-8?q?=0d=0aBcc:_x?=.pdf", "sama.pdf", "sama.pdf",
]  # fmt: skip


def test_file_names_are_safe_wherever_they_are_shown(desk: TryDesk) -> None:
    desk.opened(files=[(name, b"\xff\xd8\xff isi %d" % n) for n, name in enumerate(NAMES)])
    told = desk.last(SALLY, "notification")
    message = inspect(told)
    names = [part.get_filename() for part in message.iter_attachments()]
    assert len(names) == len(NAMES)
    assert all(names)
    assert "dua.pdf.jpg" in names
    assert names.count("sama.pdf") == 2
    assert not any(str(name).split(".")[0].upper() in ("CON", "NUL") for name in names)
    assert not any(name in told.text for name in ("../", "C:\\", "\u202e"))
