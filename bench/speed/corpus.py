"""The mails of the throughput bench: seeded, the same bytes each time for the same arguments.

60 % reports (text and HTML), 30 % tagged replies that quote the report, 10 % reports with an image of 200 KB, in blocks
of ten; 3 to 6 KB without an image, 30 KB on average. A reply names a ticket of a report that came before it, so each
product can put it where it belongs; only the tag differs from product to product. `earlier` reports come first, and
then all replies are about these: tickets that were there before the backlog came, as most are.

    python -m bench.speed.corpus 20 --tag mailbot --into FOLDER
"""

from __future__ import annotations

import argparse
import base64
import html
import quopri
import random
import struct
import textwrap
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.header import Header
from pathlib import Path

DESK = "helpdesk@bench.local"
TAGS = {"mailbot": "[#{}]", "helpdesk": "[helpdesk-{}]", "roundup": "[issue{}]"}
IMAGE_SIZE = 200_000
_WEST = timezone(timedelta(hours=7))
_START = datetime(2026, 3, 2, 7, 0, tzinfo=_WEST)
_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

_GIVEN = [
    "Acha",
    "Bagas",
    "Cahyo",
    "Dian",
    "Endang",
    "Farida",
    "Galuh",
    "Hesti",
    "Intan",
    "Jumadi",
    "Kartika",
    "Laras",
    "Mulyono",
    "Nanda",
    "Okta",
    "Panji",
    "Qori",
    "Retno",
    "Sekar",
    "Tigor",
    "Umar",
    "Vina",
    "Wulan",
    "Yusuf",
    "Zahra",
]
_FAMILY = [
    "Adinata",
    "Basuki",
    "Damanik",
    "Ginting",
    "Harsono",
    "Irawan",
    "Kurnia",
    "Lubis",
    "Manurung",
    "Pangestu",
    "Rahman",
    "Sitorus",
    "Tamba",
    "Utomo",
]
_SCHOOLS = (
    "SD Negeri 7 Cibadak", "SMP Negeri 4 Kupang", "SMA Negeri 2 Sleman", "SMK Bina Marga", "MTs Al-Ikhlas",
    "SD Inpres Waena", "SLB Tunas Kasih", "SMP Budi Luhur", "SDN Margahayu 03",
)  # fmt: skip
_DOMAINS = ("gmail.com",) * 6 + ("yahoo.co.id", "outlook.com", "guru.sd.belajar.example", "smp4kupang.sch.example")
_SUBJECTS = (
    "BKU bulan Oktober tidak bisa ditutup", "Saldo kas tidak sama dengan rekening koran", "Aktivasi ARKAS gagal",
    "Tidak bisa masuk dengan akun bendahara", "Sinkronisasi berhenti di 40%", "Kertas kerja perubahan belum disahkan",
    "Laporan realisasi – kolom pajak kosong", "Mohon reset kata sandi operator", "Menu cetak K7a hilang",
)  # fmt: skip
_SENTENCES = (
    "Sejak pembaruan kemarin halaman hanya berputar lalu kosong.",
    "Kami sudah mencoba dari dua komputer, hasilnya sama.",
    "Pada layar tertulis “Terjadi kesalahan, silakan coba lagi (kode 502)”.",
    "Saldo di aplikasi Rp 12.450.000, sedangkan di rekening koran Rp 12.540.000.",
    "Batas waktu pelaporan dari dinas adalah Jumat – mohon petunjuk secepatnya.",
    "Bendahara yang lama sudah mutasi, jadi akunnya tidak kami ketahui.",
    "NPSN sekolah kami 20512378, kecamatan Sukaraja.",
    "Apakah kami harus menghapus transaksi bulan September lebih dulu?",
    "Versi aplikasi yang kami pakai 4.0.37 di Windows 10.",
    "Tangkapan layar sudah kami siapkan bila diperlukan.",
    "Sekolah lain di gugus kami mengalami hal yang sama.",
)
_ANSWERS = (
    "Terima kasih, sudah kami coba tetapi pesannya masih sama.",
    "Baik, kami tunggu kabarnya.",
    "Ini data yang diminta: NPSN 20512378, bulan Oktober.",
    "Sudah berhasil sampai langkah ketiga, lalu berhenti lagi.",
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who writes."""

    name: str
    email: str
    school: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a reply refers to."""

    number: int
    person: Person
    subject: str
    message_id: str
    date: str
    text: str


@dataclass(frozen=True, slots=True)
class Mail:
    """`kind`: "earlier", "report", "reply" or "image"; `number`: of its ticket; `raw`: the mail with CRLF."""

    kind: str
    number: int
    raw: bytes


def mails(
    count: int, *, tag: str = "mailbot", seed: int = 1, first_number: int = 1, earlier: int = 0
) -> Iterator[Mail]:
    """The corpus, in the order in which it shall be delivered: `earlier` reports, then `count` mails of the mix."""
    dice = random.Random(seed)
    people = [person(dice, nth) for nth in range(max(20, count // 8))]
    made = 0
    first: list[Report] = []
    latest: deque[Report] = deque(maxlen=400)
    at = _START
    for nth, kind in enumerate(["earlier"] * earlier + _order(dice, count)):
        at += timedelta(seconds=dice.randint(5, 90))
        if kind == "reply":
            about = dice.choice(first or latest)
            yield Mail(kind, about.number, _reply(dice, about, nth, at, TAGS[tag]))
        else:
            report = _report(dice, dice.choice(people), first_number + made, nth, at)
            made += 1
            (first if made <= earlier else latest).append(report)
            yield Mail(kind, report.number, _as_mail(dice, report, with_image=kind == "image"))


def person(dice: random.Random, nth: int) -> Person:
    """Somebody of a school, with an address of their own."""
    given, family, school = dice.choice(_GIVEN), dice.choice(_FAMILY), dice.choice(_SCHOOLS)
    name = dice.choice((f"{given} {family}", f"{given} {family}, S.Pd.", f"Operator {school}", given.upper()))
    return Person(name, f"{given}.{family}{nth}@{dice.choice(_DOMAINS)}".lower(), school)


def subject_and_text(dice: random.Random, who: Person) -> tuple[str, str]:
    """What a report says."""
    subject = dice.choice(_SUBJECTS) + (f" – {who.school}" if dice.random() < 0.5 else "")
    middle = [" ".join(dice.sample(_SENTENCES, dice.randint(1, 4))) for _ in range(dice.randint(1, 4))]
    parts = ["Yth. Tim Helpdesk,", *middle, "Terima kasih,", f"{who.name}\n{who.school}"]
    return subject, "\n\n".join(part if "\n" in part else textwrap.fill(part, 72) for part in parts) + "\n"


def reply_words(dice: random.Random) -> str:
    """The new words of a reply."""
    return dice.choice(_ANSWERS) + "\n" + " ".join(dice.sample(_SENTENCES, dice.randint(0, 2)))


def _order(dice: random.Random, count: int) -> list[str]:
    """The exact mix in each block of ten; the first mail is a report."""
    order: list[str] = []
    while len(order) < count:
        block = ["report"] * 6 + ["reply"] * 3 + ["image"]
        dice.shuffle(block)
        order += block if order else sorted(block, key=lambda kind: kind == "reply")
    return order[:count]


def _report(dice: random.Random, who: Person, number: int, nth: int, at: datetime) -> Report:
    subject, text = subject_and_text(dice, who)
    return Report(number, who, subject, _message_id(dice, nth), _date(at), text)


def _as_mail(dice: random.Random, report: Report, *, with_image: bool) -> bytes:
    paragraphs = report.text.strip().split("\n\n")
    markup = '<div dir="ltr">' + "<div><br></div>".join(
        f'<div style="font-family:arial,sans-serif;font-size:small">{html.escape(words)}</div>' for words in paragraphs
    ) + "</div>"  # fmt: skip
    head = _head(dice, report.person, report.subject, report.message_id, report.date, "")
    boundary = _boundary(dice)
    if not with_image:
        return _wire(head + _alternative(dice, report.text, markup, boundary))
    name, kind, image = (
        (f"layar {report.number}.png", "image/png", _png(dice))
        if dice.random() < 0.5
        else (f"IMG_{report.number:05d}.jpg", "image/jpeg", _jpeg(dice))
    )
    inner = _alternative(dice, report.text, markup, _boundary(dice))
    start = f'Content-Type: multipart/mixed; boundary="{boundary}"\n\n--{boundary}\n'.encode()
    file_head = (
        f'\n--{boundary}\nContent-Type: {kind}; name="{name}"\nContent-Disposition: attachment; filename="{name}"\n'
        "Content-Transfer-Encoding: base64\n\n"
    ).encode()
    return _wire(head + start + inner + file_head + base64.encodebytes(image) + f"--{boundary}--\n".encode())


def _reply(dice: random.Random, about: Report, nth: int, at: datetime, tag: str) -> bytes:
    words = reply_words(dice)
    intro = f"Pada tanggal {about.date[:16]} Helpdesk <{DESK}> menulis:"
    quoted = "\n".join(f"> {line}" for line in about.text.splitlines())
    text = f"{words}\n\n{intro}\n\n{quoted}\n"
    markup = (
        f'<div dir="ltr">{html.escape(words)}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">'
        f'{html.escape(intro)}<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex">'
        f"{html.escape(about.text).replace(chr(10), '<br>')}</blockquote></div>"
    )
    subject = f"{dice.choice(('Re:', 'Bls:', 'RE:'))} {tag.format(about.number)} {about.subject}"
    links = f"In-Reply-To: {about.message_id}\nReferences: {about.message_id}\n"
    head = _head(dice, about.person, subject, _message_id(dice, nth), _date(at), links)
    return _wire(head + _alternative(dice, text, markup, _boundary(dice)))


def _head(dice: random.Random, who: Person, subject: str, message_id: str, date: str, links: str) -> bytes:
    """A header as it looks when it has come by way of a large provider."""
    domain = who.email.partition("@")[2]
    signature = _folded(_letters(dice, 340))
    return (
        f"Return-Path: <{who.email}>\nDelivered-To: {DESK}\n"
        f"Received: from mail-f{dice.randint(10, 99)}.{domain} (mail-f1.{domain} [198.51.100.{dice.randint(1, 254)}])\n"
        f" by mx.bench.local (Postfix) with ESMTPS id {dice.getrandbits(40):X}\n for <{DESK}>; {date}\n"
        f"Received: by mail-f{dice.randint(10, 99)}.{domain} with SMTP id {_letters(dice, 24)}\n for <{DESK}>; {date}\n"
        f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s=20230601;\n"
        f" h=to:subject:message-id:date:from:mime-version;\n bh={_letters(dice, 43)}=;\n b={signature}==\n"
        f"X-Provider-State: {_folded(_letters(dice, 160))}\nX-Received: by 2001:db8::{dice.getrandbits(16):x}; {date}\n"
        f'MIME-Version: 1.0\n{links}From: "{who.name}" <{who.email}>\nDate: {date}\nMessage-ID: {message_id}\n'
        f"Subject: {_encoded(subject)}\nTo: {DESK}\n"
    ).encode()


def _alternative(dice: random.Random, text: str, markup: str, boundary: str) -> bytes:
    border = f"--{boundary}".encode()
    parts = b"\n".join((border, _body(dice, text, "plain"), border, _body(dice, markup, "html")))
    return f'Content-Type: multipart/alternative; boundary="{boundary}"\n\n'.encode() + parts + b"\n" + border + b"--\n"


def _body(dice: random.Random, text: str, subtype: str) -> bytes:
    coding = dice.choice(("8bit", "quoted-printable", "quoted-printable", "base64"))
    raw = text.encode()
    if coding == "8bit" and any(len(line) > 900 for line in raw.split(b"\n")):
        coding = "quoted-printable"
    if coding == "quoted-printable":
        raw = quopri.encodestring(raw)
    elif coding == "base64":
        raw = base64.encodebytes(raw)
    kind = f'Content-Type: text/{subtype}; charset="UTF-8"\nContent-Transfer-Encoding: {coding}\n\n'
    return kind.encode() + raw.rstrip(b"\n") + b"\n"


def _png(dice: random.Random) -> bytes:
    """A valid picture of grey noise, which no compression makes smaller."""
    width, height = 500, IMAGE_SIZE // 501

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + dice.randbytes(width) for _ in range(height))
    size = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")


def _jpeg(dice: random.Random) -> bytes:
    noise = dice.randbytes(IMAGE_SIZE).replace(b"\xff", b"\xfe")
    return b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + noise + b"\xff\xd9"


def _encoded(subject: str) -> str:
    return subject if subject.isascii() else Header(subject, "utf-8", maxlinelen=70).encode()


def _message_id(dice: random.Random, nth: int) -> str:
    return f"<CA{_letters(dice, 38)}.{nth}@mail.example>"


def _boundary(dice: random.Random) -> str:
    return f"0000000000{dice.getrandbits(64):016x}"


def _letters(dice: random.Random, count: int) -> str:
    return "".join(dice.choices(_ID_LETTERS, k=count))


def _folded(words: str) -> str:
    return "\n ".join(words[start : start + 70] for start in range(0, len(words), 70))


def _date(at: datetime) -> str:
    return at.strftime("%a, %d %b %Y %H:%M:%S +0700")


def _wire(raw: bytes) -> bytes:
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def main() -> None:
    """Write the corpus into a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int)
    parser.add_argument("--tag", choices=sorted(TAGS), default="mailbot")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--into", type=Path, required=True)
    given = parser.parse_args()
    given.into.mkdir(parents=True, exist_ok=True)
    size = 0
    for nth, mail in enumerate(mails(given.count, tag=given.tag, seed=given.seed)):
        (given.into / f"{nth:06d}.eml").write_bytes(mail.raw)
        size += len(mail.raw)
    print(f"{given.count} mails, {size / given.count / 1024:.1f} KiB on average")


if __name__ == "__main__":
    main()
