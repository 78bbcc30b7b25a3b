"""Analysis of mail in another process, so that a backlog uses more than one core.

In: the mails of a batch. Out: for each what `mail.analysis` and `mail.duplicates` find, and the compressed bytes for
the store; or nothing, and then the caller does it itself. Nothing is decided or written there.

    reader thread    begin(batch) ──► queue ──► a thread for each worker ──► pipe ──► worker process
    processing       batch.result() ◄───────────────────────────────────── pipe ◄──

A worker is `python -m mailbot.desk.inbound.analysis_worker` with two pipes: it ends when they close, so it can't
outlive its parent, however that died. One that dies or hangs takes nothing with it: its mails are analysed by the
parent, where attempts are counted and a deadly mail is quarantined (`processor`).
"""

from __future__ import annotations

import logging
import os
import pickle
import queue
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import IO, Any

from mailbot.mail.analysis import Analysis
from mailbot.mail.classify.facts import OwnIdentity
from mailbot.mail.duplicates import Identity
from mailbot.mail.fetched import FetchedMail

log = logging.getLogger(__name__)

# So many new mails at once start the workers: starting one takes as long as reading a hundred mails.
BACKLOG = 200
# One is enough: with a hundred mails a second it uses a quarter of a core. Each needs 30 MB.
WORKERS = 1
# Mails go to a worker in chunks: for each round trip the waiting thread has to get the interpreter's lock.
CHUNK = 10
# Larger mails stay with the parent: copying them would cost more than it gains.
LARGEST = 1_000_000

_LENGTH = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class PreparedMail:
    """What a worker found out about one mail."""

    analysis: Analysis
    identity: Identity
    sha256: str
    packed: bytes  #: its zstd frame (`store.raw_mail`)


class Batch:
    """A batch that is being analysed. `result()` waits; None stands for a mail that no worker analysed."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._chunks: list[tuple[list[int], Future[list[PreparedMail | None]]]] = []

    def add(self, indexes: list[int], future: Future[list[PreparedMail | None]]) -> None:
        """Add a chunk: which of the batch's mails, and the future of their results."""
        self._chunks.append((indexes, future))

    def result(self) -> list[PreparedMail | None]:
        """Wait; return one result for each mail of the batch, in order."""
        found: list[PreparedMail | None] = [None] * self._size
        for indexes, future in self._chunks:
            for index, prepared in zip(indexes, future.result(), strict=True):
                found[index] = prepared
        return found


_Jobs = queue.Queue[tuple[list[bytes], Future[list[PreparedMail | None]]] | None]


class AnalysisPool:
    """The worker processes for one backlog (`WORKERS`). Use it in a `with`: they end with it."""

    def __init__(self, own: OwnIdentity) -> None:
        count = min(WORKERS, len(os.sched_getaffinity(0)) - 1)
        self._jobs: _Jobs = queue.Queue()
        self._workers = [_Worker(own, self._jobs) for _ in range(count)]

    def __enter__(self) -> AnalysisPool:
        return self

    def __exit__(self, *_: object) -> None:
        for _worker in self._workers:
            self._jobs.put(None)
        for worker in self._workers:
            worker.join()

    def begin(self, mails: Sequence[FetchedMail]) -> Batch:
        """Hand a batch over. Returns at once."""
        batch = Batch(len(mails))
        if any(worker.is_ready for worker in self._workers):
            fit = [index for index, mail in enumerate(mails) if not mail.partial and len(mail.raw) <= LARGEST]
            for start in range(0, len(fit), CHUNK):
                indexes = fit[start : start + CHUNK]
                future: Future[list[PreparedMail | None]] = Future()
                self._jobs.put(([mails[index].raw for index in indexes], future))
                batch.add(indexes, future)
        return batch


class _Worker(threading.Thread):
    """One process, and the thread that talks to it."""

    def __init__(self, own: OwnIdentity, jobs: _Jobs) -> None:
        super().__init__(name="analysis", daemon=True)
        self._own = own
        self._jobs = jobs
        self.is_ready = False
        self.start()

    def run(self) -> None:
        try:
            with start_worker() as process:
                assert process.stdin is not None
                assert process.stdout is not None
                self._talk(process.stdin, process.stdout)
        except Exception:
            log.exception("an analysis process has failed; its mails are analysed without it")
        finally:
            self.is_ready = False
            self._fail_the_rest()

    def _talk(self, there: IO[bytes], back: IO[bytes]) -> None:
        send(there, self._own)
        receive(back)
        self.is_ready = True
        while (job := self._jobs.get()) is not None:
            raws, future = job
            try:
                send(there, raws)
                future.set_result(receive(back))
            finally:
                if not future.done():
                    future.set_result([None] * len(raws))

    def _fail_the_rest(self) -> None:
        """Give an empty result to everyone who would wait for a worker that is gone."""
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return
            if job is None:
                self._jobs.put(None)  # it was for another worker
                return
            job[1].set_result([None] * len(job[0]))


def start_worker() -> subprocess.Popen[bytes]:
    """Start a process that analyses mail, with a pipe to it and one back; it imports our code from where we did."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.Popen(
        [sys.executable, "-m", "mailbot.desk.inbound.analysis_worker"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True,
    )  # fmt: skip


def send(pipe: IO[bytes], value: object) -> None:
    """Write one value."""
    pickled = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(pickled)) + pickled)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """Read one value from a process of our own. Raises EOFError where the other side is gone."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError("the other process has ended")
    return pickle.loads(pipe.read(*_LENGTH.unpack(head)))  # noqa: S301 - our own process wrote it
