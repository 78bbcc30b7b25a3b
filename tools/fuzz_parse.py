"""Mutated mail through the parser for some time: exceptions, slowest input, largest memory.

    python tools/fuzz_parse.py FOLDER… [--seconds 60] [--seed 1] [--keep DIR] [--floor BYTES] [--json]

Seeds are the .eml files below the folders and the hostile mails of tests/support/hostile.py. Each is mutated (bytes,
lines, blocks, headers, encodings, splices, repetitions up to 300 KB) and parsed; what comes out must hold what
`InboundMessage` promises. Every 200th input runs in a forked process whose memory is measured. Inputs that raise, take
over 1 s per MB (of 1 MB at least: below it a constant counts) or need more than 8 times their size + 50 MB are written
to --keep. Exit 1 if there was any. The same seed makes the same inputs; how many of them depends on the machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import random
import resource
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mailbot.mail.mime.parser import parse_header_only, parse_message
from tests.support.hostile import HOSTILE
from tests.unit.mail.mime.test_bounds import assert_sound

MAX_SIZE = 300_000
MEGABYTE = 1_000_000
MEASURE_EVERY = 200

TOKENS = [
    b"Content-Type: multipart/mixed; boundary=b\n", b"Content-Type: multipart/alternative; boundary=b\n", b"\n--b\n",
    b"\n--b--\n", b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: quoted-printable\n",
    b"Content-Type: message/rfc822\n", b"Content-Type: text/html; charset=utf-16\n", b"=?utf-8?B?", b"?=", b"=?",
    b"Content-Type: application/ms-tnef\n", b"\x78\x9f\x3e\x22", b"; filename*0*=utf-8''%e9", b"\n\n", b"\r\n", b"\r",
    b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\x1b$B", b"begin 644 x\n", b"\nend\n", b"<div>", b"<table><tr><td>",
    b"<blockquote>", b"<!--", b"From: a@x.id (b <c@y.id>\n", b"Received: from a by b; ", b"\"", b"(", b"<", b">", b",",
    b"+AGEAYg-", b"--", b"=\n", b"=3D", b"&#x", b"cid:", b"Content-Type: text/plain; format=flowed; delsp=yes\n",
]  # fmt: skip


@dataclass
class Tally:
    """What the run has seen."""

    inputs: int = 0
    size: int = 0
    seconds: float = 0.0
    slowest: float = 0.0  # seconds per MB
    slowest_note: str = ""
    largest: float = 0.0  # bytes beyond 50 MB, per byte of input
    largest_note: str = ""
    faults: list[str] = field(default_factory=list)


def mutate(rng: random.Random, seeds: list[bytes]) -> bytes:
    """One mail made of others."""
    data = bytearray(rng.choice(seeds)[:MAX_SIZE])
    for _ in range(rng.choice((1, 1, 2, 3, 5, 8, 20))):
        if not data:
            data = bytearray(b"\n")
        place = rng.randrange(len(data))
        width = min(len(data) - place, rng.choice((1, 4, 16, 100, 1000)))
        match rng.randrange(10):
            case 0:
                data[place] = rng.randrange(256)
            case 1:
                data[place:place] = rng.choice(TOKENS)
            case 2:
                del data[place : place + width]
            case 3:
                data[place:place] = data[place : place + width] * rng.choice((1, 2, 10, 100, 1000))
            case 4:
                other = rng.choice(seeds)
                start = rng.randrange(len(other) or 1)
                data[place : place + width] = other[start : start + rng.choice((10, 100, 2000))]
            case 5:
                data[place : place + width] = bytes(rng.randrange(256) for _ in range(min(width, 64)))
            case 6:
                del data[place:]
            case 7:
                data[place:place] = rng.choice(TOKENS) * rng.choice((2, 20, 500, 5000))
            case 8:
                lines = bytes(data).split(b"\n", 200)
                rng.shuffle(lines)
                data = bytearray(b"\n".join(lines))
            case _:
                data = bytearray(bytes(data).replace(b"\n", rng.choice((b"\r\n", b"\r", b"\n\n", b" \n")), 300))
        del data[MAX_SIZE:]
    return bytes(data)


def run_one(raw: bytes) -> float:
    """CPU seconds of the parse; AssertionError or whatever is raised otherwise is the caller's."""
    start = time.process_time()
    message = parse_message(raw)
    took = time.process_time() - start
    assert_sound(message)
    assert_sound(parse_header_only(raw))
    return took


def memory_of(raw: bytes) -> int:
    """How much a forked process grew by parsing, bytes."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
        parse_message(raw)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
        os.write(writing, str(grown).encode())
        os._exit(0)
    os.waitpid(child, 0)
    grown = int(os.read(reading, 40) or b"0")
    os.close(reading)
    os.close(writing)
    return grown


def fuzz(seeds: list[bytes], seconds: float, seed: int, keep: Path | None, floor: int = MEGABYTE) -> Tally:
    """Mutations for `seconds`; see the module's text."""
    rng = random.Random(seed)
    tally = Tally()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        raw = mutate(rng, seeds)
        tally.inputs += 1
        tally.size += len(raw)
        fault = ""
        try:
            took = run_one(raw)
        except Exception as raised:  # noqa: BLE001 - counting them is the purpose
            took, fault = 0.0, f"{type(raised).__name__}: {raised}"[:200]
        tally.seconds += took
        rate = took / (max(len(raw), floor) / MEGABYTE)
        if rate > tally.slowest:
            tally.slowest, tally.slowest_note = rate, f"{len(raw)} bytes in {took:.3f} s"
        if rate > 1:
            fault = f"slow: {tally.slowest_note}"
        if tally.inputs % MEASURE_EVERY == 0:
            grown = memory_of(raw)
            ratio = (grown - 50 * MEGABYTE) / max(1, len(raw))
            if tally.largest_note == "" or ratio > tally.largest:
                tally.largest, tally.largest_note = ratio, f"{grown / MEGABYTE:.1f} MB for {len(raw)} bytes"
            if ratio > 8:
                fault = f"memory: {grown} bytes for {len(raw)}"
        if fault:
            tally.faults.append(fault)
            if keep is not None:
                (keep / f"{hashlib.sha256(raw).hexdigest()[:12]}.eml").write_bytes(raw)
    return tally


def main() -> int:
    """Command line; see the module's text."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folders", nargs="*", type=Path)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--keep", type=Path)
    options.add_argument("--floor", type=int, default=MEGABYTE, help="bytes that a smaller input counts as")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    logging.disable(logging.CRITICAL)  # mail-parser comments on every odd mail
    seeds = [file.read_bytes() for folder in given.folders for file in sorted(folder.rglob("*.eml"))]
    seeds += [builder(3000) for builder in HOSTILE.values()]
    if given.keep is not None:
        given.keep.mkdir(parents=True, exist_ok=True)
    run_one(seeds[0])  # imports are no parsing time
    tally = fuzz(seeds, given.seconds, given.seed, given.keep, given.floor)
    figures = {
        "inputs": tally.inputs,
        "MB": round(tally.size / MEGABYTE, 1),
        "ms_per_input": round(tally.seconds * 1e3 / max(1, tally.inputs), 3),
        "s_per_MB": round(tally.seconds / max(tally.size / MEGABYTE, 1e-9), 3),
        "slowest_s_per_MB": round(tally.slowest, 3),
        "slowest": tally.slowest_note,
        "largest_memory": tally.largest_note,
        "faults": len(tally.faults),
    }
    if given.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name:18} {value}" for name, value in figures.items()))
    for fault in tally.faults[:20]:
        print("fault:", fault, file=sys.stderr)
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
