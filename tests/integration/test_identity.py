"""Who an agent is: every trust mode with every proof, DKIM under keys at hand, agents who leave, keys that change."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from email.utils import getaddresses
from pathlib import Path
from typing import Any

import pytest

from mailbot.config.model import Settings
from mailbot.desk.wiring import open_desk
from mailbot.mail.reply_token import Purpose
from mailbot.runtime.clock import ManualClock
from tests.support.arena import (
    EVIL,
    OURS,
    Arena,
)
from tests.support.dovecot import Dovecot
from tests.support.people import (
    ACHA,
    ADDRESS,
    BUDI,
    MONDAY,
    SALLY,
)
from tests.support.running_desk import RunningDesk
from tests.support.signed_mail import (
    COVERED,
    rsa,
    signed,
)
from tests.support.smtp_sink import Sink

PASS = f"Authentication-Results: {OURS}; dmarc=pass header.from=helpdesk.example\r\n".encode()
CLOSED = {
    # trust: the proofs that are enough
    "token": {"token", "token+dmarc", "token+dkim"},
    "dmarc": {"dmarc", "dkim", "token+dmarc", "token+dkim"},
    "either": {"token", "dmarc", "dkim", "token+dmarc", "token+dkim"},
    "both": {"token+dmarc", "token+dkim"},
}
PROOFS = ("", "token", "dmarc", "dkim", "token+dmarc", "token+dkim")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    (folder / "s1._domainkey.helpdesk.example").write_text(rsa().record)
    return folder


@pytest.fixture(scope="module")
def arena_of(keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Arena]]:
    opened: dict[str, Arena] = {}

    def make(trust: str) -> Arena:
        if trust in opened:
            return opened[trust].afresh()
        mail = {"trust": trust, "dkim_keys": str(keys)}
        opened[trust] = Arena.opened(
            tmp_path_factory.mktemp("arena"), agent_mail=mail, inbound={"trusted_authserv_ids": (OURS,)}
        )
        return opened[trust]

    yield make
    for arena in opened.values():
        arena.desk.close()


def _mail(arena: Arena, *, to: str = ADDRESS, message_id: str = "<1@helpdesk.example>", more: str = "") -> bytes:
    return (
        f"From: Sally <{SALLY}>\r\nTo: {to}\r\nSubject: Re: #12345\r\nDate: Mon, 3 Nov 2025 10:00:00 +0700\r\n"
        f"Message-ID: {message_id}\r\n{more}\r\n#selesai\r\nSudah.\r\n"
    ).encode()


@pytest.mark.parametrize("trust", CLOSED)
@pytest.mark.parametrize("proof", PROOFS)
def test_each_trust_mode_takes_its_proofs_and_no_other(
    trust: str, proof: str, arena_of: Callable[[str], Arena]
) -> None:
    arena = arena_of(trust)
    to = arena.reply_address(SALLY, 12345, "notification") if "token" in proof else ADDRESS
    raw = _mail(arena, to=to)
    raw = signed(raw) if "dkim" in proof else raw
    done = arena.raw(PASS + raw if "dmarc" in proof else raw)
    believed = proof in CLOSED[trust]
    assert (done.outcome, arena.desk.ticket()["status"]) == (
        ("processed", "closed") if believed else ("held", "waiting")
    )


@pytest.mark.parametrize("trust", ["dmarc", "either"])
@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(lambda raw: signed(raw, length=True), id="length"),
        pytest.param(lambda raw: signed(raw, "jahat.example"), id="other-domain"),
        pytest.param(lambda raw: signed(raw, key=rsa(1024, 1)), id="other-key"),
        pytest.param(lambda raw: signed(raw).replace(b"Sudah.", b"Hapus."), id="changed"),
        pytest.param(lambda raw: b"Subject: #12346\r\n" + signed(raw), id="second-subject"),
        pytest.param(lambda raw: b"From: " + EVIL.encode() + b"\r\n" + signed(raw), id="second-from"),
        pytest.param(
            lambda raw: (
                b"References: <1.surat@sekolah.example>\r\n"
                + signed(raw, covered=[c for c in COVERED if c != b"references"])
            ),
            id="added-references",
        ),
        pytest.param(lambda raw: signed(raw, covered=[c for c in COVERED if c != b"to"]), id="uncovered-to"),
    ],
)
def test_a_signature_that_is_no_proof_changes_nothing(
    trust: str, forged: Callable[[bytes], bytes], arena_of: Callable[[str], Arena]
) -> None:
    arena = arena_of(trust)
    done = arena.raw(forged(_mail(arena)))
    assert done.outcome in ("held", "processed") and arena.state() == arena.before
    assert done.outcome == "held" or done.ticket in arena.new_numbers()


def test_a_signed_mail_counts_once(arena_of: Callable[[str], Arena]) -> None:
    arena = arena_of("dmarc")
    raw = signed(_mail(arena).replace(b"#selesai", b"#catatan"))
    assert arena.raw(raw).outcome == "processed"
    assert arena.raw(raw).outcome == "duplicate"
    assert arena.raw(b"Received: from elsewhere\r\n" + raw).outcome == "duplicate"
    notes = [m for m in arena.desk.ticket()["messages"] if m["kind"] == "note" and m["text"] == "Sudah."]
    assert len(notes) == 1
    other = signed(_mail(arena, more="In-Reply-To: <2.surat@sekolah.example>\r\n").replace(b"Re: #12345", b"Re: 2"))
    assert arena.raw(other).outcome == "held"  # the Message-ID was there before, with another text


def test_dkim_lets_a_requester_bring_people_in_and_a_from_alone_does_not(tmp_path: Path, keys: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "s1._domainkey.sekolah.example").write_text(rsa().record)
    arena = Arena.opened(tmp_path / "desk", agent_mail={"dkim_keys": str(tmp_path / "keys")})
    raw = (
        f"From: {ACHA}\r\nTo: {ADDRESS}\r\nCc: guru@sekolah.example\r\nSubject: #12345\r\n"
        "Date: Mon, 3 Nov 2025 10:00:00 +0700\r\nMessage-ID: <{}@s>\r\n\r\nIsi.\r\n"
    )
    arena.raw(raw.replace("{}", "1").encode())
    assert "guru@sekolah.example" not in arena.desk.ticket()["participants"]
    arena.raw(signed(raw.replace("{}", "2").encode(), "sekolah.example"))
    assert "guru@sekolah.example" in arena.desk.ticket()["participants"]
    arena.desk.close()


def _settings(folder: Path, *emails: str) -> Settings:
    agents = [{"name": email.partition("@")[0].title(), "email": email} for email in emails]
    return Settings(storage={"data_dir": str(folder)}, agents=agents)


def test_who_left_the_file_and_came_back_begins_anew(tmp_path: Path) -> None:
    clock = ManualClock(MONDAY)

    def daemon(*emails: str) -> Any:
        return open_desk(_settings(tmp_path, *emails), clock=clock, exclusive=True)

    with daemon(SALLY, BUDI) as desk:
        opened = desk.helpdesk.ingest(f"From: {ACHA}\nTo: {ADDRESS}\nSubject: a\nMessage-ID: <1@s>\n\nIsi.\n".encode())
        assert opened.ticket is not None
        token = desk.helpdesk.profile.signer.sign(Purpose.AGENT, opened.ticket, BUDI)
    with daemon(SALLY) as desk:
        assert [agent.email for agent in desk.helpdesk.agents()] == [SALLY]
    with open_desk(_settings(tmp_path, SALLY), clock=clock) as command:  # a command changes nobody's term
        command.helpdesk.record_agents()

    def act(desk: Any, nth: int) -> str:
        local, _, domain = ADDRESS.partition("@")
        raw = f"From: {BUDI}\nTo: {local}+{token}@{domain}\nSubject: x\nMessage-ID: <b{nth}@h>\n\n#selesai\nSudah.\n"
        return str(desk.helpdesk.ingest(raw.encode()).outcome)

    with daemon(SALLY, BUDI) as desk:
        assert {agent.email: agent.term for agent in desk.helpdesk.agents()} == {SALLY: 0, BUDI: 1}
        assert act(desk, 1) == "held"
        token = desk.helpdesk.profile.signer.sign(Purpose.AGENT, opened.ticket, f"{BUDI} 1")
        assert act(desk, 2) == "processed"


@pytest.fixture
def running(tmp_path: Path, server_home: Callable[[], Path]) -> Iterator[RunningDesk]:
    with Dovecot(server_home()) as dovecot, Sink() as sink, RunningDesk(tmp_path, dovecot, sink) as desk:
        yield desk


@pytest.mark.dovecot
@pytest.mark.slow
def test_keys_change_under_a_running_desk_and_forgers_get_nothing(running: RunningDesk) -> None:
    desk = running
    desk.write(ACHA, "Tidak bisa tutup BKU")
    first = desk.wait_for(ACHA, "acknowledgement")
    old_note = desk.wait_for(SALLY, "notification")
    desk.cli("key", "rotate")
    desk.logged("configuration reloaded")
    desk.reply(first, ACHA, "NPSN 20512345")  # by the old key's address
    desk.wait_for(SALLY, "notification", nth=2)
    new_note = desk.to(SALLY, "notification")[-1]
    assert _token(old_note["Reply-To"]) != _token(new_note["Reply-To"])
    assert old_note["X-Mailbot-Instance"] == new_note["X-Mailbot-Instance"]
    # forgers, by way of IMAP
    desk.write(SALLY, "Re: #12345", "#selesai\nSudah.")
    desk.write(f'"{SALLY}" <{EVIL}>', "Re: #12345", "#selesai\nSudah.")
    desk.dovecot.append(
        "support", f"From: {ACHA}\r\nFrom: {EVIL}\r\nTo: {ADDRESS}\r\nSubject: #12345\r\n\r\nx".encode()
    )
    desk.wait_for(SALLY, "notice")
    desk.inbox_is_empty()
    assert not desk.to(EVIL)  # a name that poses as an agent's address is not answered
    shown = desk.ticket()
    assert shown["status"] == "queued" and [m["text"] for m in shown["messages"] if m["kind"] == "reply"] == [
        "NPSN 20512345"
    ]
    # the old key leaked: nothing that it signed counts any more
    desk.cli("key", "rotate", "--grace", "0d")
    desk.logged("configuration reloaded", times=2)
    desk.reply(new_note, SALLY, "#selesai\nSudah.")
    desk.wait_for(SALLY, "notice", nth=2)
    assert desk.ticket()["status"] == "queued"


def _token(address: str) -> str:
    found = re.search(r"\+([a-z0-9]+)@", getaddresses([address])[0][1])
    assert found is not None
    return found[1]
