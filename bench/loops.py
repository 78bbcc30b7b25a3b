"""How many mails a robot gets before the desk falls silent, and how many schools go without an acknowledgement.

    python -m bench.loops                    both tables (some minutes)
    python -m bench.loops --schools 5000     fewer schools
    python -m bench.loops --robots           only the robots

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

from tests.integration.people import ADDRESS, TryDesk

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


def schools(many: int, latency: float) -> None:
    """`latency`: seconds between two readings of the inbox; what came meanwhile is taken in together."""
    dice = random.Random(2)
    gaps = [dice.expovariate(many / 3600) for _ in range(many)]
    with tempfile.TemporaryDirectory() as folder:
        desk = TryDesk(Path(folder) / "desk")
        mails: list[tuple[float, bytes]] = []
        at = 0.0
        for n, gap in enumerate(gaps):
            at += gap
            mails.append((at, mail(n, dice)))
        start, clock = time.process_time(), desk.clock.now()
        position = 0
        while position < len(mails):
            turn_at = mails[position][0] + latency
            batch = []
            while position < len(mails) and mails[position][0] <= turn_at:
                batch.append(mails[position][1])
                position += 1
            desk.clock.advance(clock + timedelta(seconds=turn_at) - desk.clock.now())
            take_in(desk, batch)
        spent = time.process_time() - start
        with desk.desk.store.reading() as connection:
            rows = connection.exec_driver_sql(
                "SELECT state, last_error, recipient FROM outbox WHERE role = 'person'"
            ).all()
        withheld = Counter(error for state, error, _ in rows if state == "suppressed")
        domains = Counter(to.rpartition("@")[2] for state, _, to in rows if state == "suppressed")
        print(
            f"{many} schools, inbox read every {latency} s: {len(rows) - sum(withheld.values())} acknowledged, "
            f"{sum(withheld.values())} withheld ({spent / many * 1000:.1f} ms CPU a mail)"
        )
        for error, count in withheld.most_common():
            print(f"    {count:6} {error}")
        print("   ", dict(domains.most_common(5)))
        desk.close()


def take_in(desk: TryDesk, batch: list[bytes]) -> None:
    from mailbot.core.arrival import Arrival

    take_in.uid += len(batch)  # type: ignore[attr-defined]
    first = take_in.uid - len(batch)  # type: ignore[attr-defined]
    arrivals = [Arrival(1, first + i, raw, len(raw), None, False) for i, raw in enumerate(batch)]
    ids = desk.desk.helpdesk.receive("INBOX", arrivals)
    desk.clock.advance(timedelta(milliseconds=20))
    desk.desk.helpdesk.process(ids, dict(zip(ids, batch, strict=True)))


take_in.uid = 1  # type: ignore[attr-defined]


def mail(n: int, dice: random.Random) -> bytes:
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
    return (
        f"From: {name} <guru{n}@{domain}>\r\nTo: {ADDRESS}\r\nSubject: BKU tidak bisa ditutup\r\n"
        f"Message-ID: <{n}@{domain}>\r\nDate: Mon, 3 Nov 2025 10:00:00 +0700\r\n\r\n{text}\r\n"
    ).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--schools", type=int, default=20_000)
    parser.add_argument("--robots", action="store_true", help="only the robots")
    parser.add_argument("--storm", action="store_true", help="only the schools")
    asked = parser.parse_args()
    if not asked.storm:
        robots()
    if not asked.robots:
        schools(asked.schools, 0.5)


if __name__ == "__main__":
    main()
