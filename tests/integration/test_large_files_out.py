"""Large files on their way to the agents: not in memory while they are sent, and the same bytes as came in."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from email.utils import getaddresses
from pathlib import Path
from typing import Any

import pytest

from mailbot.desk.outbound.attachments import OnDisk
from mailbot.desk.outbound.delivery import Delivery, DeliverySettings
from mailbot.mail.compose.streaming import InBase64, Outgoing
from mailbot.runtime.memory import LARGE
from mailbot.transport.smtp.submission import Accepted, Deferred
from tests.support.people import (
    ACHA,
    BUDI,
    SALLY,
    TryDesk,
)

PHOTO = b"\xff\xd8\xff\xe0" + random.Random(3).randbytes(LARGE + 12_345)
OTHER = b"\xff\xd8\xff\xe0" + random.Random(4).randbytes(LARGE + 1)
SMALL = b"\xff\xd8\xff\xe0" + random.Random(5).randbytes(5_000)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TryDesk]:
    made = TryDesk(tmp_path / "desk")
    yield made
    made.close()


def on_disk(raw: bytes | Outgoing) -> list[OnDisk]:
    """The files of a mail that are not in memory."""
    parts = raw.parts if isinstance(raw, Outgoing) else ()
    return [part.content for part in parts if isinstance(part, InBase64) and isinstance(part.content, OnDisk)]


class Watched:
    """A way out that looks at what it is given; `desk` says what the server says."""

    def __init__(self, desk: TryDesk, look: Callable[[bytes | Outgoing], Any]) -> None:
        self._desk, self._look = desk, look

    def send(self, envelope_from: str, recipient: str, raw: bytes | Outgoing) -> Any:
        self._look(raw)
        return self._desk.send(envelope_from, recipient, raw)


def test_files_go_to_each_agent_as_they_came_and_large_ones_are_not_in_memory_meanwhile(desk: TryDesk) -> None:
    files = [("besar.jpg", PHOTO), ("kecil.jpg", SMALL), ("lain.jpg", OTHER)]
    desk.write(ACHA, "Foto", "Terlampir.", files=files, deliver=False)
    before = set(desk.settings.storage.data_dir.iterdir())
    seen: list[OnDisk] = []
    while desk.desk.delivery.deliver_due(Watched(desk, lambda raw: seen.extend(on_disk(raw)))).tried:
        continue
    for agent in (SALLY, BUDI):
        [told] = desk.to(agent)
        assert told.files == dict(files)
    assert [len(content) for content in seen] == [len(PHOTO), len(OTHER)] * 2
    assert len(set(map(id, seen))) == 2, "unpacked once for both agents"
    for content in seen:
        with pytest.raises(ValueError):
            content[0:1]  # let go with the last mail that has it
    new = {path.name for path in set(desk.settings.storage.data_dir.iterdir()) - before}
    assert new <= {"mailbot.sent"}, "the journal of what was sent, and nothing else"


def test_what_was_put_off_goes_out_whole_the_next_time(desk: TryDesk) -> None:
    desk.verdict = lambda mail: Deferred(451, "later", server_gone=False) if mail.files else Accepted("250 ok")
    desk.write(ACHA, "Foto", "Terlampir.", files=[("besar.jpg", PHOTO)])
    assert not desk.to(SALLY)
    desk.verdict = lambda _: Accepted("250 ok")
    desk.pass_time(minutes=5)
    assert desk.last(SALLY).files == {"besar.jpg": PHOTO}


def test_without_room_on_disk_the_file_goes_out_from_memory(
    desk: TryDesk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    desk.write(ACHA, "Foto", "Terlampir.", files=[("besar.jpg", PHOTO)], deliver=False)
    inner = desk.desk
    settings = DeliverySettings("x", folder=tmp_path / "nowhere")
    nowhere = Delivery(inner.store, inner.helpdesk.profile, inner.helpdesk.context_of, settings)
    seen: list[OnDisk] = []
    while nowhere.deliver_due(Watched(desk, lambda raw: seen.extend(on_disk(raw)))).tried:
        continue
    assert not seen
    assert desk.last(SALLY).files == {"besar.jpg": PHOTO}
    assert f"a file of {len(PHOTO)} bytes is kept in memory" in caplog.text


def test_a_signed_address_in_a_large_text_is_masked(desk: TryDesk) -> None:
    desk.write(ACHA, "Kendala")
    address = getaddresses([desk.last(SALLY)["Reply-To"]])[0][1]
    assert "+" in address
    words = b"Isi surat lama.\r\n" * 70_000 + b"Balas ke: " + address.encode() + b"\r\n"
    assert len(words) > LARGE
    desk.write(ACHA, "Catatan", "Terlampir.", files=[("catatan.txt", words)])
    [sent] = [mail for mail in desk.to(BUDI) if mail.files]
    [(_, content)] = sent.files.items()
    content = content.encode() if isinstance(content, str) else content
    assert address.partition("+")[2].encode() not in content
    assert len(content) == len(words)


def test_bytes_on_disk_are_those_that_were_put_there_whoever_reads(tmp_path: Path) -> None:
    content = OnDisk(PHOTO, tmp_path)
    assert not list(tmp_path.iterdir()), "the file has no name"
    assert len(content) == len(PHOTO)
    assert content[10:20] == PHOTO[10:20]
    assert content[len(PHOTO) - 3 : len(PHOTO) + 100] == PHOTO[-3:]
    read: list[bytes] = []
    threads = [threading.Thread(target=lambda: read.append(b"".join(InBase64(content).pieces()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert read == [b"".join(InBase64(PHOTO).pieces())] * 4
    content.close()
    content.close()
