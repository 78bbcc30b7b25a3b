"""No secret reaches the log or the terminal, whatever fails: servers that echo the password, tracebacks, wrong URLs."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import forkserver
from tests.support.scripted import Peer, Scripted

ROOT = Path(__file__).resolve().parents[2]
IMAP_PASSWORD = "kanari-imap-Rahasia/77"
SMTP_PASSWORD = "kanari-smtp-Rahasia=88"
DATABASE_PASSWORD = "kanari-db-Rahasia99"
TOKEN = "kanari-token-ya29.Rahasia"
KEY = "kanari-kunci-rahasia-0123456789abcdef0123456789"
CANARIES = (IMAP_PASSWORD, SMTP_PASSWORD, DATABASE_PASSWORD, TOKEN, KEY)


def forms(secret: str) -> Iterator[str]:
    """A secret as protocols, URLs and representations write it."""
    yield secret
    yield secret.replace("/", "%2F").replace("=", "%3D")
    yield base64.b64encode(secret.encode()).decode().rstrip("=")
    for user in ("kotak", ""):
        yield base64.b64encode(f"\0{user}\0{secret}".encode()).decode()
        yield base64.b64encode(f"user={user}\x01auth=Bearer {secret}\x01\x01".encode()).decode()


def leaks(output: str) -> list[str]:
    return [form for secret in CANARIES for form in forms(secret) if form and form in output]


def echoing_imap(peer: Peer) -> None:
    """Refuses each log-in with the very words that it came with."""
    peer.say(b"* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] ready")
    while line := peer.line():
        tag, _, rest = line.partition(b" ")
        if rest.upper().startswith(b"CAPABILITY"):
            peer.say(b"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR", tag + b" OK done")
        else:
            peer.say(tag + b" NO [AUTHENTICATIONFAILED] no, not with " + rest)
    peer.close()


def echoing_smtp(peer: Peer) -> None:
    peer.say(b"220 ready")
    while line := peer.line():
        if line.upper().startswith(b"EHLO"):
            peer.say(b"250-mx", b"250 AUTH PLAIN LOGIN XOAUTH2")
        elif line.upper().startswith(b"QUIT"):
            peer.say(b"221 bye")
            break
        else:
            peer.say(b"535 5.7.8 not with " + line)
    peer.close()


@pytest.fixture
def servers() -> Iterator[tuple[int, int]]:
    with Scripted(echoing_imap) as imap, Scripted(echoing_smtp) as smtp:
        yield imap.port, smtp.port


def write_config(folder: Path, ports: tuple[int, int], *, auth: str = "password", more: str = "") -> Path:
    (folder / "kunci").write_text(KEY + "\n", encoding="utf-8")
    (folder / "token").write_text(TOKEN, encoding="utf-8")
    for name in ("kunci", "token"):
        (folder / name).chmod(0o600)
    login = 'token_file = "token"' if auth == "xoauth2" else ""
    config = folder / "mailbot.toml"
    config.write_text(
        f"""
[helpdesk]
address = "support@helpdesk.example"
secret_file = "kunci"
[storage]
data_dir = "{folder}/data"
{more}
[imap]
host = "127.0.0.1"
port = {ports[0]}
security = "none"
username = "kotak"
password = "{IMAP_PASSWORD}"
auth = "{auth}"
{login}
[smtp]
host = "127.0.0.1"
port = {ports[1]}
security = "none"
username = "kotak"
password = "{SMTP_PASSWORD}"
auth = "{auth}"
{login}
[log]
level = "debug"
""",
        encoding="utf-8",
    )
    return config


def mailbot(config: Path, *arguments: str) -> str:
    done = forkserver.shared().run(*arguments, "--config", str(config), timeout=100)
    return done.stdout + done.stderr


@pytest.mark.parametrize("auth", ["password", "xoauth2"])
def test_servers_that_echo_the_secret_make_no_one_read_it(tmp_path: Path, servers: tuple[int, int], auth: str) -> None:
    config = write_config(tmp_path, servers, auth=auth)
    mail = tmp_path / "satu.eml"
    mail.write_bytes(
        b"From: acha@sekolah.example\r\nTo: support@helpdesk.example\r\nSubject: x\r\nMessage-ID: <1@x>\r\n\r\nisi"
    )
    output = [
        mailbot(config, "ingest", str(mail)),
        mailbot(config, "run", "--once"),
        mailbot(config, "check", "--json"),
        mailbot(config, "explain", str(mail)),
    ]
    assert "AUTHENTICATIONFAILED" in output[1] or "not with" in output[1] + output[2], output
    assert leaks("\n".join(output)) == []
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert [secret for secret in CANARIES if secret.encode() in stored] == []


@pytest.mark.parametrize(
    "more",
    [
        f'database_url = "postgresql://mailbot:{DATABASE_PASSWORD}@127.0.0.1:1/desk"',
        f'database_url = "postgresql://mailbot:{DATABASE_PASSWORD}@127.0.0.1:1/desk?sslmode=strange"',
        f'database_url = "mysql://mailbot:{DATABASE_PASSWORD}@127.0.0.1/desk"',
        f'database_url = "postgresql://mailbot:{DATABASE_PASSWORD}@[::bad/desk"',
        f'database_url = "postgresql://mailbot:{DATABASE_PASSWORD}@127.0.0.1:port/desk"',
        f'database_ulr = "postgresql://mailbot:{DATABASE_PASSWORD}@127.0.0.1/desk"',
        f'pasword = "{IMAP_PASSWORD}"',
    ],
)
def test_no_wrong_configuration_shows_a_secret(tmp_path: Path, more: str) -> None:
    config = write_config(tmp_path, (1, 1), more=more)
    output = mailbot(config, "ticket", "list")
    assert output.strip()
    assert leaks(output) == []
