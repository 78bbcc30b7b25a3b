"""Access tokens: where they come from, how long they are kept, and who has to act when there are none.

The token endpoint is a real HTTP server on loopback; what it saw is in `Endpoint.forms`.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from mailbot.errors import MailboxUnavailable, PermanentError, TemporaryError
from mailbot.runtime.clock import ManualClock
from mailbot.transport.imap.mailbox import Mailbox
from mailbot.transport.oauth import (
    TokenRefused,
    TokenSource,
    TokenUnavailable,
    xoauth2,
)
from mailbot.transport.smtp.submission import (
    Accepted,
    Deferred,
    Submission,
)
from tests.support.loopback import free_port
from tests.support.scripted import Peer
from tests.support.scripted_imap import ScriptedImap
from tests.support.scripted_smtp import ScriptedSmtp
from tests.support.settings import imap_settings, smtp_settings
from tests.support.token_endpoint import Endpoint, endpoint

__all__ = ["endpoint"]


@pytest.fixture
def token_file(tmp_path: Path, endpoint: Endpoint) -> Path:
    path = tmp_path / "token.json"
    path.write_text(
        json.dumps(
            {
                "client_id": "desk",
                "client_secret": "s3",
                "refresh_token": "r1",
                "token_uri": endpoint.address,
                "scope": "mail",
            }
        )
    )
    path.chmod(0o600)
    return path


def grants(token: str, **more: object) -> tuple[int, dict[str, object]]:
    return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600, **more}


def test_a_token_is_fetched_kept_and_renewed_before_it_expires(endpoint: Endpoint, token_file: Path) -> None:
    endpoint.answers = [grants("t1"), grants("t2")]
    clock = ManualClock(datetime(2026, 1, 5, tzinfo=UTC))
    source = TokenSource("imap", token_file=str(token_file), clock=clock)
    assert source.token() == "t1"
    clock.advance(timedelta(minutes=57))
    assert source.token() == "t1"
    clock.advance(timedelta(minutes=2))
    assert source.token() == "t2"
    assert (
        endpoint.forms
        == [
            {
                "grant_type": "refresh_token",
                "refresh_token": "r1",
                "client_id": "desk",
                "client_secret": "s3",
                "scope": "mail",
            }
        ]
        * 2
    )
    source.forget()
    assert source.token() == "t2"
    assert len(endpoint.forms) == 3


@pytest.mark.parametrize(("life", "kept"), [("3600", 57), (None, 7), ("soon", 7)])
def test_the_life_of_a_token_may_be_a_text_or_missing(
    endpoint: Endpoint, token_file: Path, life: str | None, kept: int
) -> None:
    endpoint.answers = [grants("t1", expires_in=life), grants("t2")]
    clock = ManualClock(datetime(2026, 1, 5, tzinfo=UTC))
    source = TokenSource("imap", token_file=str(token_file), clock=clock)
    source.token()
    clock.advance(timedelta(minutes=kept))
    assert source.token() == "t1"
    clock.advance(timedelta(minutes=2))
    assert source.token() == "t2"


def test_a_refresh_token_that_the_server_changes_is_written_back(endpoint: Endpoint, token_file: Path) -> None:
    endpoint.answers = [grants("t1", refresh_token="r2"), grants("t2")]
    source = TokenSource("imap", token_file=str(token_file))
    source.token()
    kept = json.loads(token_file.read_text())
    assert (kept["refresh_token"], kept["client_secret"]) == ("r2", "s3")
    assert token_file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in token_file.parent.iterdir()] == ["token.json"]
    source.forget()
    source.token()
    assert endpoint.forms[1]["refresh_token"] == "r2"


def test_a_changed_refresh_token_is_used_also_where_the_file_cannot_be_written(
    endpoint: Endpoint, token_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.answers = [grants("t1", refresh_token="r2"), grants("t2")]
    memory = os.memfd_create("token")  # a file that can be read, in no folder at all
    os.write(memory, token_file.read_bytes())
    source = TokenSource("imap", token_file=f"/proc/self/fd/{memory}")
    source.token()
    assert "cannot be written" in caplog.text
    source.forget()
    source.token()
    assert endpoint.forms[1]["refresh_token"] == "r2"
    os.close(memory)


@pytest.mark.parametrize(
    ("status", "answer", "kind", "words"),
    [
        (
            400,
            {"error": "invalid_grant", "error_description": "Token has been expired or revoked."},
            TokenRefused,
            "consent",
        ),
        (401, {"error": "invalid_client"}, TokenRefused, "client_id or client_secret"),
        (400, {"error": "invalid_scope"}, TokenRefused, "scope"),
        (503, b"<html>down</html>", TokenUnavailable, "HTTP 503"),
        (429, {"error": "slow_down"}, TokenUnavailable, "slow_down"),
        (400, ["odd"], TokenUnavailable, "HTTP 400"),
        (200, {"token_type": "Bearer"}, TokenUnavailable, "without an access token"),
        (200, b"not json", TokenUnavailable, "no usable answer"),
        (200, [1], TokenUnavailable, "no JSON object"),
    ],
)
def test_a_refusal_for_a_person_is_told_from_a_fault_that_passes(
    endpoint: Endpoint, token_file: Path, status: int, answer: Any, kind: type[Exception], words: str
) -> None:
    endpoint.answers = [(status, answer)]
    with pytest.raises(kind, match=words) as error:
        TokenSource("imap", token_file=str(token_file)).token()
    assert "s3" not in str(error.value)
    assert "r1" not in str(error.value)


def test_a_dead_endpoint_is_a_fault_of_the_network(token_file: Path) -> None:
    grant = json.loads(token_file.read_text())
    token_file.write_text(json.dumps({**grant, "token_uri": f"http://127.0.0.1:{free_port()}/token"}))
    with pytest.raises(TokenUnavailable, match="refused"):
        TokenSource("imap", token_file=str(token_file)).token()


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ('{"client_id": "desk"}', PermanentError, r"smtp\.token_file .* lacks refresh_token, token_uri"),
        ("{broken", PermanentError, r"smtp\.token_file .* no JSON"),
        (
            '{"client_id": "d", "refresh_token": "r", "token_uri": "http://login.example/token"}',
            PermanentError,
            "not https",
        ),
        (None, TemporaryError, r"smtp\.token_file .* cannot be read"),
    ],
)
def test_a_bad_token_file_is_named(tmp_path: Path, text: str | None, kind: type[Exception], words: str) -> None:
    path = tmp_path / "token.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(kind, match=words):
        TokenSource("smtp", token_file=str(path)).token()


def test_a_plain_token_file_is_read_anew_each_time(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("t1\n")
    source = TokenSource("imap", token_file=str(path))
    assert source.token() == "t1"
    path.write_text("t2\n")
    assert source.token() == "t2"


def test_a_token_from_a_command() -> None:
    speaks = f"{sys.executable} -c 'print(\"t1\")'"
    assert TokenSource("imap", token_command=speaks).token() == "t1"
    fails = f"{sys.executable} -c 'import sys; sys.exit(\"no session\")'"
    with pytest.raises(TokenUnavailable, match=r"imap\.token_command gave no token.*no session"):
        TokenSource("imap", token_command=fails).token()
    with pytest.raises(TokenUnavailable, match="could not be run"):
        TokenSource("imap", token_command="/no/such/program").token()


def test_the_password_may_be_the_token_and_nothing_is_an_error() -> None:
    assert TokenSource("imap", password=SecretStr("t1")).token() == "t1"
    with pytest.raises(TokenRefused, match="needs token_file or token_command"):
        TokenSource("imap", password=SecretStr("")).token()


def imap_xoauth2(good: str) -> Callable[[Peer, bytes, bytes], None]:
    """An answer to AUTHENTICATE as Gmail gives it."""

    def answer(peer: Peer, tag: bytes, arguments: bytes) -> None:
        assert arguments == b"XOAUTH2"
        peer.say(b"+ ")
        if peer.line() == _encoded("support", good):
            peer.say(tag + b" OK done")
            return
        peer.say(b"+ eyJzdGF0dXMiOiI0MDEifQ==")
        assert peer.line() == b""
        peer.say(tag + b" NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)")

    return answer


def _encoded(user: str, token: str) -> bytes:
    return base64.b64encode(xoauth2(user, token).encode())


def test_imap_with_a_token_that_was_revoked_before_its_time(endpoint: Endpoint, token_file: Path) -> None:
    endpoint.answers = [grants("old"), grants("new"), grants("new")]
    settings = {"auth": "xoauth2", "token_file": str(token_file)}
    with ScriptedImap(AUTHENTICATE=imap_xoauth2("new")) as server:
        mailbox = Mailbox(imap_settings(server.port, **settings), max_size=1000, timeout=5)
        mailbox.open()
        mailbox.close()
        assert server.calls["AUTHENTICATE"] == 2
        mailbox.open()
        mailbox.close()
        assert server.calls["AUTHENTICATE"] == 3
        assert len(endpoint.forms) == 2, "the good token was kept"
    with ScriptedImap(AUTHENTICATE=imap_xoauth2("other")) as server:
        mailbox = Mailbox(imap_settings(server.port, **settings), max_size=1000, timeout=5)
        with pytest.raises(MailboxUnavailable, match="OAuth consent") as refused:
            mailbox.open()
        assert refused.value.credentials
        assert server.calls["AUTHENTICATE"] <= 2


def test_imap_tells_an_ended_consent_from_a_dead_token_server(endpoint: Endpoint, token_file: Path) -> None:
    settings = {"auth": "xoauth2", "token_file": str(token_file)}
    with ScriptedImap() as server:
        mailbox = Mailbox(imap_settings(server.port, **settings), max_size=1000, timeout=5)
        for answer, credentials in (((400, {"error": "invalid_grant"}), True), ((503, b""), False)):
            endpoint.answers = [answer]
            with pytest.raises(MailboxUnavailable) as error:
                mailbox.open()
            assert error.value.credentials is credentials


def smtp_xoauth2(good: str) -> Callable[[Peer, bytes], None]:
    def answer(peer: Peer, line: bytes) -> None:
        if line == b"AUTH XOAUTH2 " + _encoded("desk", good):
            peer.say(b"235 2.7.0 Accepted")
            return
        peer.say(b"334 eyJzdGF0dXMiOiI0MDEifQ==")
        assert peer.line() == b""
        peer.say(b"535-5.7.8 Username and Password not accepted.", b"535 5.7.8 see the documentation")

    return answer


def test_smtp_with_a_token(endpoint: Endpoint, token_file: Path) -> None:
    endpoint.answers = [grants("old"), grants("new")]
    keys = {"auth": "xoauth2", "token_file": str(token_file), "username": "desk"}
    raw = b"Subject: x\r\n\r\n"
    with ScriptedSmtp((b"AUTH XOAUTH2 PLAIN",), AUTH=smtp_xoauth2("new")) as server:
        submission = Submission(smtp_settings(server.port, **keys), timeout=5)
        assert isinstance(submission.send("a@b.id", "c@d.id", raw), Accepted)
        submission.close()
        server.overrides["AUTH"] = smtp_xoauth2("other")
        outcome = submission.send("a@b.id", "c@d.id", raw)
        assert isinstance(outcome, Deferred)
        assert (outcome.code, outcome.server_gone) == (535, True)
        assert "OAuth consent" in outcome.text
        endpoint.answers = [(400, {"error": "invalid_grant"})]
        with pytest.raises(PermanentError, match="consent has ended"):
            submission.check()
