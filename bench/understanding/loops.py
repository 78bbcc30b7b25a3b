"""How many mails a robot gets before the desk falls silent, and how many schools go without an acknowledgement.

    python -m bench.understanding.loops                    both tables (some minutes)
    python -m bench.understanding.loops --schools 5000     fewer schools
    python -m bench.understanding.loops --robots           only the robots

A desk in this process, a clock that is moved. Robots write at once after each automatic mail, from an address, with a
subject and a Message-ID that never come again. Schools write independently of each other within an hour (Poisson), a
fault having hit all of them; the mix of senders and wordings is said in `SENDERS` and `WORDINGS`.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from mailbot.desk.context import Case, IncomingMail
from mailbot.desk.outbound.auto_reply_guard import exceeded_limit
from mailbot.mail.message import Address, Classification, InboundMessage, Kind, MessageKind
from mailbot.store.unit_of_work import UnitOfWork
from tests.support.people import TryDesk

GIVE_UP = 400
NOUNS = tuple(
    word
    for line in (
        "laporan saldo kas bendahara sekolah aplikasi halaman tombol menu tanggal kwitansi nota pajak rekening bulan",
        "anggaran kegiatan belanja modal barang jasa honor buku kertas listrik internet transfer realisasi rencana",
        "revisi kerja pengesahan sinkronisasi pembaruan versi sandi akun operator kepala dinas data tahap guru siswa",
    )
    for word in line.split()
)
TEXT = "Terima kasih atas surat Anda. Pesan ini kami terima dengan baik dan akan segera kami baca bersama tim."
SENDERS = (("gmail.com", 45), ("{level}.belajar.id", 30), ("sch.id", 12), ("yahoo.com", 5), ("own", 8))
SHORT = (
    "mohon bantuan BKU tidak bisa ditutup", "BKU tidak bisa ditutup", "mohon bantuannya, bku tidak bisa di tutup",
    "Selamat pagi, mohon bantuan BKU bulan Oktober tidak bisa ditutup", "tidak bisa tutup bku min tolong",
    "Mohon bantuan admin, BKU kami tidak bisa ditutup. Terima kasih",
)  # fmt: skip
TEMPLATE = (
    "Yth. Helpdesk BOSP, dengan hormat kami dari {school} mengalami kendala pada aplikasi ARKAS: setelah pembaruan, "
    "BKU bulan Oktober tidak dapat ditutup dan muncul pesan galat. Mohon bantuannya. Terima kasih. {name}"
)
WORDINGS = (("one of a few short sentences", 40), ("a letter passed round among schools", 15), ("own words", 45))


def varied(dice: random.Random) -> str:
    return " ".join(dice.choices(NOUNS, k=25)) + "."


def robot(address: Callable[[int], str], text: Callable[[int], str], seconds: Callable[[], float]) -> tuple[int, str]:
    """Acknowledgements until there came none, and what silenced it."""
    with tempfile.TemporaryDirectory() as folder:
        desk = TryDesk(Path(folder) / "desk")
        try:
            for count in range(GIVE_UP):
                before = len(desk.sent)
                desk.write(address(count), f"Perihal {count * 7919}", text(count))
                if not any(m.kind == "acknowledgement" for m in desk.sent[before:]):
                    return count, why_silent(desk)
                desk.clock.advance(timedelta(seconds=seconds()))
            return GIVE_UP, "not silenced"
        finally:
            desk.close()


def why_silent(desk: TryDesk) -> str:
    with desk.desk.store.reading() as connection:
        return str(connection.exec_driver_sql("SELECT cap FROM withheld ORDER BY id LIMIT 1").scalar())


def robots() -> None:
    dice = random.Random(1)
    addresses: dict[str, Callable[[int], str]] = {
        "one domain": lambda n: f"r{n}x@robot.example",
        "its subdomains": lambda n: f"r{n}@m{n}.robot.example",
        "one mailbox, sub-addresses": lambda n: f"surat+{n}@gmail.com",
        "any domain": lambda n: f"r{n}@d{n * 31}.example",
        "ever new Gmail addresses": lambda n: f"r{n}x@gmail.com",
    }
    texts: dict[str, Callable[[int], str]] = {
        "same words": lambda n: f"{TEXT} Nomor {n * 37}.",
        "same words, other names": lambda n: f"Halo {dice.choice(NOUNS)} {dice.choice(NOUNS)}. {TEXT} Nomor {n * 37}.",
        "ever new words": lambda n: varied(dice),
        "two words": lambda n: f"Sudah diterima {n}",
    }
    pauses: dict[str, Callable[[], float]] = {
        "2 s": lambda: 2.0,
        "1 to 3 s": lambda: dice.uniform(1, 3),
        "20 to 60 s": lambda: dice.uniform(20, 60),
        "0.2 to 30 s": lambda: dice.uniform(0.2, 30),
    }
    print(f"| {'addresses':28} | {'words':24} | {'pause':12} | mails answered | silenced by |")
    for where, address in addresses.items():
        for words, text in texts.items():
            for pause, seconds in pauses.items():
                count, cap = robot(address, text, seconds)
                print(f"| {where:28} | {words:24} | {pause:12} | {count:14} | {cap:12}|", flush=True)


def schools(many: int, every: float) -> None:
    """`every`: seconds between two readings of the inbox; what came meanwhile is taken in together.

    Only what decides on an acknowledgement runs here (`auto_reply_guard.exceeded_limit`): no ticket is made.
    """
    dice = random.Random(2)
    withheld: Counter[str] = Counter()
    domains: Counter[str] = Counter()
    spent = 0.0
    with tempfile.TemporaryDirectory() as folder:
        desk = TryDesk(Path(folder) / "desk")
        helpdesk, start = desk.desk.helpdesk, desk.clock.now()
        at, n = 0.0, 0
        waiting: list[InboundMessage] = []
        while n < many:
            turn_at = at + every
            while n < many and at <= turn_at:
                at += dice.expovariate(many / 3600)
                waiting.append(mail(n, dice))
                n += 1
            received = start + timedelta(seconds=max(at, turn_at))
            with desk.desk.store.writing() as connection:
                context = helpdesk.context_of(UnitOfWork(connection, 1, received + timedelta(milliseconds=20)))
                for message in waiting:
                    verdict = Classification(Kind.HUMAN)
                    arrived = IncomingMail(1, 1, "", message, verdict, received_at=received)
                    begun = time.process_time()
                    case = Case(context, mail=arrived)
                    found = exceeded_limit(case, MessageKind.ACKNOWLEDGEMENT, message.from_addr)
                    spent += time.process_time() - begun
                    if found is not None:
                        withheld[found.value] += 1
                        domains[message.from_address.domain] += 1
            waiting = []
        desk.close()
    silent = sum(withheld.values())
    print(
        f"{many} schools in an hour, inbox read every {every} s: {many - silent} acknowledged, {silent} withheld "
        f"({dict(withheld)}, most of {domains.most_common(3)}); {spent / many * 1000:.2f} ms CPU a mail to decide",
        flush=True,
    )


def mail(n: int, dice: random.Random) -> InboundMessage:
    [domain] = dice.choices([d for d, _ in SENDERS], [w for _, w in SENDERS])
    domain = domain.format(level=dice.choice(["guru.sd", "admin.smp", "guru.sma"]))
    if domain == "sch.id":
        domain = f"sd{n % 900}.sch.id"
    elif domain == "own":  # a foundation's or a firm's domain, some with many schools
        domain = f"yayasan{int(dice.paretovariate(0.6)) % 700}.org"
    [wording] = dice.choices(range(3), [w for _, w in WORDINGS])
    name = f"{dice.choice(['Sri', 'Budi', 'Dewi', 'Agus', 'Acha'])} {dice.choice(NOUNS).title()}"
    text = (
        dice.choice(SHORT)
        if wording == 0
        else TEMPLATE.format(school=f"SDN {dice.choice(NOUNS)} {n % 90}", name=name)
        if wording == 1
        else f"{varied(dice)} {dice.choice(SHORT)}"
    )
    return InboundMessage(from_=(Address(f"guru{n}@{domain}", name),), text=text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--schools", type=int, default=20_000)
    parser.add_argument("--robots", action="store_true", help="only the robots")
    parser.add_argument("--storm", action="store_true", help="only the schools")
    asked = parser.parse_args()
    if not asked.storm:
        robots()
    if not asked.robots:
        for every in (0.1, 0.5, 5.0):
            schools(asked.schools, every)


if __name__ == "__main__":
    main()
