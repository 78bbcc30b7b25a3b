"""Line ends and dots of a mail on the wire, and the words for faults of the network."""

from __future__ import annotations

import errno
import re
import socket
import ssl
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.config.values import is_loopback
from mailbot.transport.smtp.submission import dot_stuffed, line_ends
from mailbot.transport.tls import client_context, explain, plaintext_fault
from tests.support.settings import smtp_settings

_PIECES = st.sampled_from([b"\r\n", b"\n", b"\r", b".", b"..", b"x", b"\r\n.\r\n", b"\x00", b"\xff", b""])


@given(st.lists(_PIECES).map(b"".join))
def test_a_mail_comes_out_of_the_wire_as_it_went_in(raw: bytes) -> None:
    content = line_ends(raw)
    assert content.endswith(b"\r\n")
    assert not re.search(rb"[^\r]\n|\r[^\n]|^\n|\r\Z", content)
    assert content.replace(b"\r\n", b"\n").rstrip(b"\n") == re.sub(rb"\r\n|\r", b"\n", raw).rstrip(b"\n")
    wire = b"".join(dot_stuffed([content]))
    assert (
        b"".join(dot_stuffed(content[at : at + 2] for at in range(0, len(content), 2))) == wire
    )  # wherever it is torn
    # RFC 5321 §4.5.2, the receiver's side: the first line that is only a dot is the end.
    assert wire.endswith(b"\r\n.\r\n")
    assert b"\r\n.\r\n" not in wire[:-2]
    assert not wire.startswith(b".\r\n")
    lines = wire[:-3].split(b"\r\n")
    assert b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines) == content


def test_a_mail_that_is_right_is_not_copied() -> None:
    raw = b"A: b\r\n\r\nx\r\n"
    assert line_ends(raw) is raw


@pytest.mark.parametrize(
    ("error", "found", "mend"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "cannot be resolved", "smtp.host"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "was refused", "smtp.port"),
        (TimeoutError("timed out"), "did not answer in time", "firewall"),
        (TimeoutError(errno.ETIMEDOUT, "Connection timed out"), "did not answer in time", "firewall"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), "was lost (Connection reset", "by itself"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "no TLS session", "smtp.security"),
        (FileNotFoundError(errno.ENOENT, "No such file", "/etc/ca.pem"), "/etc/ca.pem does not exist", "smtp.ca_file"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "No route to host", "smtp.host"),
        (RuntimeError("odd"), "odd", "by itself"),
    ],
)
def test_every_fault_has_words_and_a_mend(error: Exception, found: str, mend: str) -> None:
    words = explain(error, "smtp")
    assert found in words
    assert mend in words
    assert "{}" not in words


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("LOCALHOST", True),
        ("localhost.", True),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("mail.helpdesk.example", False),
    ],
)
def test_what_is_this_machine(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
    settings = smtp_settings(25, host=host)
    assert bool(plaintext_fault(settings, "smtp")) is not expected
    assert not plaintext_fault(smtp_settings(25, host=host, allow_insecure=True), "smtp")
    assert not plaintext_fault(smtp_settings(25, host=host, security="tls"), "smtp")


def test_a_context_always_verifies(tmp_path: Path) -> None:
    context = client_context("")
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    with pytest.raises(FileNotFoundError):
        client_context(str(tmp_path / "none.pem"))
