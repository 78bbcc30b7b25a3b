"""Mail written by the standard library and parsed: people, subject, text, HTML and files of any content."""

from __future__ import annotations

import base64
import quopri
import re
from email.header import Header
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mailbot.mail.message import Address
from mailbot.mail.mime.parser import parse_message

# Characters that mean the same before and after: no controls, no direction marks, no odd spaces.
LETTERS = st.characters(exclude_categories=("C", "Z"), exclude_characters="\u00ad\u034f\u115f\u1160\u17b4\u17b5")
WORD = st.text(LETTERS, min_size=1, max_size=12)
LIKE_UTF8 = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")
LINE = st.lists(WORD, min_size=1, max_size=8).map(" ".join)
NAME = st.lists(st.text(st.characters(categories=("L", "N")), min_size=1, max_size=10), min_size=1, max_size=4).map(
    " ".join
)
BODY = st.tuples(LINE, st.lists(st.one_of(LINE, st.just("")), max_size=8)).map(
    lambda both: "\n".join((both[0], *both[1])).strip()
)
FILES = st.lists(st.tuples(NAME.map(lambda stem: f"f {stem[:40].strip()}.bin"), st.binary(max_size=200)), max_size=3)


def encoded(text: str) -> str:
    """RFC 2047, by the standard library's older writer: the newer one loses spaces where it folds."""
    return Header(text, "utf-8").encode(linesep="\n")


@settings(max_examples=100, deadline=None)
@given(subject=LINE, name=NAME, text=BODY, html=st.one_of(st.none(), BODY), files=FILES)
def test_well_formed_mail_comes_back(
    subject: str, name: str, text: str, html: str | None, files: list[tuple[str, bytes]]
) -> None:
    mail = MIMEMultipart("mixed")
    mail["Subject"] = encoded(subject)
    mail["From"] = f"{encoded(name)} <a@x.id>"
    body = MIMEMultipart("alternative")
    body.attach(MIMEText(text, "plain", "utf-8"))
    if html is not None:
        body.attach(MIMEText(f"<p>{html}</p>", "html", "utf-8"))
    mail.attach(body)
    for file_name, content in files:
        file = MIMEApplication(content)
        file.add_header("Content-Disposition", "attachment", filename=("utf-8", "", file_name))
        mail.attach(file)

    read = parse_message(mail.as_bytes())

    assert read.subject == subject
    assert read.from_ == (Address("a@x.id", name),)
    assert read.text == text
    assert read.html == (f"<p>{html}</p>" if html is not None else "")
    assert [(each.name, each.content) for each in read.attachments] == files
    assert read.defects == ()


@settings(max_examples=60, deadline=None)
@given(
    text=BODY,
    charset=st.sampled_from(["utf-8", "iso-8859-1", "windows-1252", "utf-16", "koi8-r", "gb18030"]),
    encoding=st.sampled_from(["base64", "quoted-printable"]),
)
def test_any_charset_comes_back(text: str, charset: str, encoding: str) -> None:
    text = text.encode(charset, "ignore").decode(charset).strip()
    data = text.encode(charset)
    if charset not in ("utf-8", "utf-16"):
        assume(not LIKE_UTF8.search(data))  # what is UTF-8 is read as such, under any name
    coded = base64.encodebytes(data) if encoding == "base64" else quopri.encodestring(data)
    head = f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {encoding}\n\n"
    assert parse_message(head.encode() + coded).text == text
