"""How many mails a second mailbot takes in, beside its peers: the same mails, mail server and sink, round by round.

    python -m bench.speed.throughput --mails 2000 --rounds 3 [--without-peers] [--write]

Each product has a desk with 100 earlier tickets. Then a backlog of the mix (corpus.py) lies in its inbox, and one
process is started that takes in all of it; the time is that of the whole process, from its start until it has ended
with every mail handled and every mail out. Rounds are interleaved; the table has medians.

    mailbot (a)   one mail out for each mail in, as the peers send: an acknowledgement for each report, and for each
                  reply the notification of the agent whose ticket it is (`notify = "none"`: nobody hears of new ones)
    mailbot (b)   besides that a notification of an agent for each report: 1.7 mails out for each mail in
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.speed import corpus
from bench.speed.peers import CannotInstall, DjangoHelpdesk, Roundup
from bench.speed.products import MailbotDesk, Product, Servers
from bench.speed.sink import Sink
from bench.support import report
from bench.support.machine import Cost
from tests.support.dovecot import Dovecot

EARLIER = 100


@dataclass(frozen=True, slots=True)
class Round:
    """One product's turn."""

    cost: Cost
    mails: int
    out: Counter[str]

    @property
    def rate(self) -> float:
        return self.mails / self.cost.wall

    @property
    def cpu(self) -> float:
        """ms for each mail."""
        return 1000 * self.cost.cpu / self.mails


@dataclass(frozen=True, slots=True)
class Median:
    """A product's rounds in one line."""

    name: str
    rate: float
    lowest: float
    highest: float
    cpu: float
    memory: float
    largest: float
    out: float


def measure(products: Sequence[Product], mails: int, rounds: int, scratch: Path) -> list[Median]:
    """Prepare each product, then let them take turns."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=scratch) as folder:
        home = Path(folder)
        home.chmod(0o755)
        (home / "dovecot").mkdir()
        with Dovecot(home / "dovecot") as dovecot, Sink() as sink:
            servers = Servers(dovecot, sink.port)
            for nth, product in enumerate(products):
                earlier = list(corpus.mails(mails, tag=product.tag, earlier=EARLIER))[:EARLIER]
                product.prepare(home / f"desk-{nth}", servers, earlier)
            found: dict[str, list[Round]] = {product.name: [] for product in products}
            for turn in range(rounds):
                for nth, product in enumerate(products):
                    done = _turn(product, home, nth, turn, mails, servers, sink)
                    found[product.name].append(done)
                    print(
                        f"round {turn + 1} {product.name}: {done.rate:.1f} mails/s, {done.cpu:.2f} ms CPU, "
                        f"{done.cost.memory:.0f} MB, out {dict(_kinds(done.out))}",
                        flush=True,
                    )
    return [_median(name, turns) for name, turns in found.items()]


def _turn(product: Product, home: Path, nth: int, turn: int, mails: int, servers: Servers, sink: Sink) -> Round:
    """Copy the prepared desk, fill its inbox, measure, look whether everything was done."""
    user = f"u{nth}-{turn}"
    backlog = list(corpus.mails(mails, tag=product.tag, earlier=EARLIER))[EARLIER:]
    servers.dovecot.append(user, *(mail.raw for mail in backlog))
    prepared, kept = home / f"desk-{nth}", home / f"kept-{nth}"
    if not kept.exists():
        shutil.copytree(prepared, kept)
    shutil.rmtree(prepared)
    shutil.copytree(kept, prepared)
    sink.count()
    cost = product.take_in(prepared, servers, user)
    out = sink.count()
    assert cost.code == 0, (prepared / "log").read_text()[-2000:]
    assert out.total() >= mails, (
        f"{product.name} sent {out.total()} mails for {mails}: {(prepared / 'log').read_text()[-2000:]}"
    )
    return Round(cost, mails, out)


def _kinds(out: Counter[str]) -> Counter[str]:
    """Mails to the agent and to requesters."""
    return Counter({"agent": out["sally"], "requesters": out.total() - out["sally"]})


def _median(name: str, turns: Sequence[Round]) -> Median:
    rates = [turn.rate for turn in turns]
    return Median(
        name, statistics.median(rates), min(rates), max(rates), statistics.median(turn.cpu for turn in turns),
        max(turn.cost.memory for turn in turns), max(turn.cost.largest for turn in turns),
        statistics.median(turn.out.total() / turn.mails for turn in turns),
    )  # fmt: skip


# What mailbot's rate shall be at least, as a multiple of a peer's (issue: throughput): with work (a) and (b).
GOALS = {DjangoHelpdesk.name: (4.0, 3.0), Roundup.name: (7.0, None)}


def section(found: Sequence[Median], mails: int, rounds: int, command: str) -> str:
    """The tables, and the plot beside them."""
    rows = [
        (m.name, f"{m.rate:.0f} ({m.lowest:.0f}–{m.highest:.0f})", f"{m.out:.1f}", f"{m.rate * m.out:.0f}",
         f"{m.cpu:.1f}", f"{m.largest:.0f}", f"{m.memory:.0f}")
        for m in found
    ]  # fmt: skip
    head = ("", "mails in/s", "mails out for each in", "mails out/s", "CPU ms/mail", "MB largest process", "MB in all")
    text = [report.table(head, rows), ""]
    own = {m.name: m for m in found if m.name.startswith("mailbot")}
    ratios = []
    for peer in found:
        for work, goal in zip(own.values(), GOALS.get(peer.name, ()), strict=False):
            ratio = work.rate / peer.rate
            judged = f"≥ {goal:.0f}" if goal else "–"
            ratios.append((f"{work.name} / {peer.name}", f"{ratio:.1f}", judged,
                           report.verdict(ratio, goal, at_least=True) if goal else "–",
                           f"{work.cpu / peer.cpu:.2f}"))  # fmt: skip
    if ratios:
        text += [report.table(("rate", "times", "goal", "", "share of its CPU (goal ≤ 0.33)"), ratios), ""]
    report.bars("throughput", "Mails taken in per second", [(m.name, m.rate, f"{m.rate:.0f}/s") for m in found])
    text += ["![mails per second](plots/throughput.svg)", ""]
    text.append(f"{rounds} interleaved rounds of {mails} mails, medians (range). {report.measured_by(command)}")
    return "\n".join(text)


def products(scratch: Path, *, with_peers: bool) -> list[Product]:
    """mailbot with both kinds of work, and the peers that can be installed."""
    found: list[Product] = []
    for peer in (DjangoHelpdesk, Roundup) if with_peers else ():
        try:
            found.append(peer(scratch))
        except CannotInstall as error:
            print(f"left out: {error}", flush=True)
    mailbot = [
        MailbotDesk("mailbot (a) one out for each in", "none"),
        MailbotDesk("mailbot (b) and an agent notified of each", "all"),
    ]
    return [*found, *mailbot]


def main() -> None:
    """Measure, and print or write the section."""
    scratch = Path(tempfile.gettempdir()) / "mailbot-bench"
    given = report.options(__doc__, mails=2000, rounds=3, scratch=scratch, without_peers=False)
    given.scratch.mkdir(parents=True, exist_ok=True)
    some = products(given.scratch, with_peers=not given.without_peers)
    found = measure(some, given.mails, given.rounds, given.scratch)
    text = section(found, given.mails, given.rounds, f"python -m bench.speed.throughput --mails {given.mails}")
    report.publish("throughput", text, write=given.write)


if __name__ == "__main__":
    main()
