"""`Submission` against a real SMTP server (aiosmtpd), and against one that does what no healthy server does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from mailbot.errors import PermanentError, TemporaryError
from mailbot.transport.smtp.submission import (
    Accepted,
    Deferred,
    Rejected,
    Submission,
)
from tests.support.certificate import Certificate
from tests.support.loopback import free_port
from tests.support.scripted import Peer, Scripted
from tests.support.scripted_smtp import (
    Answer,
    ScriptedSmtp,
    hangs_up,
    is_silent,
    reply,
)
from tests.support.settings import smtp_settings
from tests.support.smtp_sink import Sink

DESK, SCHOOL = "support+b1@helpdesk.example", "sdn1@sekolah.example"
MAIL = b"From: support@helpdesk.example\r\nTo: sdn1@sekolah.example\r\nSubject: #10001 - x\r\n\r\nHalo.\r\n"


@pytest.fixture
def submit() -> Iterator[Callable[..., Submission]]:
    """Makes submissions that are closed at the end."""
    made: list[Submission] = []

    def make(port: int, timeout: float = 5, **keys: object) -> Submission:
        made.append(Submission(smtp_settings(port, **keys), timeout=timeout))
        return made[-1]

    yield make
    for submission in made:
        submission.close()


Submit = Callable[..., Submission]


def test_many_mails_go_over_one_connection(submit: Submit) -> None:
    with Sink() as sink:
        submission = submit(sink.port)
        outcomes = [submission.send(DESK, f"sdn{n}@sekolah.example", MAIL) for n in range(5)]
        assert outcomes == [Accepted("250 2.0.0 kept")] * 5
        assert sink.connections == 1
        assert [envelope.rcpt_tos for envelope in sink.envelopes] == [[f"sdn{n}@sekolah.example"] for n in range(5)]
        assert {envelope.mail_from for envelope in sink.envelopes} == {DESK}
        assert sink.contents == [MAIL] * 5


def test_the_null_sender(submit: Submit) -> None:
    with Sink() as sink:
        assert isinstance(submit(sink.port).send("", SCHOOL, MAIL), Accepted)
        assert sink.envelopes[0].mail_from == "<>", "as aiosmtpd writes it"


@pytest.mark.parametrize(
    ("raw", "arrives"),
    [
        (b"A: b\n\n.\n..\n.x\nend\n", b"A: b\r\n\r\n.\r\n..\r\n.x\r\nend\r\n"),
        (b"A: b\r\n\r\nno end", b"A: b\r\n\r\nno end\r\n"),
        (b"A: b\r\n\r\nbare\rreturn\nand\r\nmixed", b"A: b\r\n\r\nbare\r\nreturn\r\nand\r\nmixed\r\n"),
        (b".A: b\r\n\r\n", b".A: b\r\n\r\n"),
        (b"A: b\r\n\r\nx\r\n.\r\nMAIL FROM:<>\r\n", b"A: b\r\n\r\nx\r\n.\r\nMAIL FROM:<>\r\n"),
    ],
)
def test_line_ends_and_dots(submit: Submit, raw: bytes, arrives: bytes) -> None:
    with Sink() as sink:
        submission = submit(sink.port)
        assert isinstance(submission.send(DESK, SCHOOL, raw), Accepted)
        assert isinstance(submission.send(DESK, SCHOOL, MAIL), Accepted)
        assert sink.contents == [arrives, MAIL]


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("550 5.1.1 no such user", Rejected(550, "5.1.1 no such user")),
        ("552 5.3.4 too big", Rejected(552, "5.3.4 too big")),
        ("451 4.3.0 try later", Deferred(451, "4.3.0 try later", server_gone=False)),
        ("450 4.2.1 greylisted", Deferred(450, "4.2.1 greylisted", server_gone=False)),
    ],
)
def test_refusals_at_each_stage_and_the_mail_after(
    submit: Submit, stage: str, words: str, expected: Deferred | Rejected
) -> None:
    victim = DESK if stage == "mail" else SCHOOL
    with Sink(replies={stage: {victim: words}}) as sink:
        submission = submit(sink.port)
        assert submission.send(DESK, SCHOOL, MAIL) == expected
        assert isinstance(submission.send("", "sdn2@sekolah.example", MAIL), Accepted)
        assert sink.connections == 1


@pytest.mark.parametrize("extensions", [(b"PIPELINING",), (b"HELP",)])
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "DOT"])
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (554, Rejected(554, "no")),
        (452, Deferred(452, "no", server_gone=False)),
        (421, Deferred(421, "no", server_gone=True)),
        (530, Deferred(530, "no. Set smtp.username and smtp.password, and smtp.security.", True, tried=False)),
        (535, Deferred(535, "no. Check smtp.username and smtp.password.", server_gone=True, tried=False)),
        (503, Deferred(503, "no", server_gone=False)),
        (334, Deferred(334, "no. The server's reply makes no sense here.", server_gone=False)),
        (-55, Deferred(-55, "no. The server's reply makes no sense here.", server_gone=False)),
    ],
)
def test_every_refusal_has_a_verdict_and_the_next_mail_passes(
    submit: Submit, extensions: tuple[bytes, ...], stage: str, code: int, expected: Deferred | Rejected
) -> None:
    with ScriptedSmtp(extensions, **{stage: reply(code, "no")}) as server:
        submission = submit(server.port)
        assert submission.send(DESK, SCHOOL, MAIL) == expected
        del server.overrides[stage]
        assert isinstance(submission.send(DESK, SCHOOL, MAIL), Accepted)
        assert server.contents[-1] == MAIL


def test_a_pipelining_server_that_says_354_without_a_recipient(submit: Submit) -> None:
    with ScriptedSmtp(RCPT=reply(550, "no such user")) as server:
        submission = submit(server.port)
        assert submission.send(DESK, SCHOOL, MAIL) == Rejected(550, "no such user")
        assert server.contents == [b""], "only the dot that ends an empty mail"
        assert server.lines[0][-1] == b"RSET"


@pytest.mark.parametrize("extensions", [(b"PIPELINING",), (b"HELP",)])
@pytest.mark.parametrize(
    ("stage", "words"), [("MAIL", b"250 ok"), ("RCPT", b"250 ok"), ("DATA", b"354 go on"), ("DATA", b"250 queued")]
)
def test_a_reply_too_many_is_never_taken_for_the_verdict(
    submit: Submit, extensions: tuple[bytes, ...], stage: str, words: bytes
) -> None:
    """Else an older reply would stand for the one to the dot, and a mail could count as accepted that is not."""

    def twice(peer: Peer, _line: bytes) -> None:
        peer.say(b"354 go on" if stage == "DATA" else b"250 ok", words)

    with ScriptedSmtp(extensions, **{stage: twice}, DOT=reply(554, "no")) as server:
        submission = submit(server.port)
        outcome = submission.send(DESK, SCHOOL, MAIL)
        assert isinstance(outcome, Deferred)
        assert server.contents == []
        server.overrides.clear()
        assert isinstance(submission.send(DESK, SCHOOL, MAIL), Accepted)
        assert server.connections == 2


def test_envelope_and_data_travel_together_where_the_server_knows_pipelining(submit: Submit) -> None:
    """The server reads all three commands before it answers the first: without pipelining nothing would come."""

    def waits(peer: Peer, _line: bytes) -> None:
        assert peer.line().startswith(b"RCPT")
        assert peer.line() == b"DATA"
        peer.say(b"250 ok", b"250 ok", b"354 go on")
        while peer.line() != b".":
            pass
        peer.say(b"250 queued")

    with ScriptedSmtp(MAIL=waits) as server:
        assert submit(server.port).send(DESK, SCHOOL, MAIL) == Accepted("250 queued")


@pytest.mark.parametrize("gone", [hangs_up, reply(421, "idle for too long")])
@pytest.mark.parametrize("extensions", [(b"PIPELINING",), (b"HELP",)])
def test_a_connection_that_died_between_two_mails_is_opened_anew(
    submit: Submit, gone: Answer, extensions: tuple[bytes, ...]
) -> None:
    with ScriptedSmtp(extensions) as server:
        submission = submit(server.port)
        assert isinstance(submission.send(DESK, SCHOOL, MAIL), Accepted)

        def once(peer: Peer, line: bytes) -> None:
            del server.overrides["MAIL"]
            gone(peer, line)
            peer.close()

        server.overrides["MAIL"] = once
        assert isinstance(submission.send(DESK, SCHOOL, MAIL), Accepted)
        assert server.connections == 2
        assert server.contents == [MAIL, MAIL]


def test_a_connection_that_the_server_closed_meanwhile_is_not_used(submit: Submit) -> None:
    with ScriptedSmtp() as server:
        submission = submit(server.port)

        def then_closes(peer: Peer, _line: bytes) -> None:
            peer.say(b"250 queued", b"421 good night")
            peer.close()

        server.overrides["DOT"] = then_closes
        assert submission.send(DESK, SCHOOL, MAIL) == Accepted("250 queued")
        del server.overrides["DOT"]
        assert isinstance(submission.send(DESK, SCHOOL, MAIL), Accepted)
        assert [line[:4].upper() for line in server.lines[0]] == [b"EHLO", b"MAIL", b"RCPT", b"DATA"]
        assert server.connections == 2


def test_a_server_that_always_hangs_up_is_tried_once(submit: Submit) -> None:
    with ScriptedSmtp(MAIL=hangs_up) as server:
        outcome = submit(server.port).send(DESK, SCHOOL, MAIL)
        assert isinstance(outcome, Deferred)
        assert outcome.server_gone
        assert server.connections == 1


@pytest.mark.parametrize("ending", [hangs_up, is_silent])
def test_a_lost_reply_to_the_dot_is_deferred_and_says_that_it_may_have_arrived(submit: Submit, ending: Answer) -> None:
    with ScriptedSmtp(DOT=ending) as server:
        outcome = submit(server.port, timeout=0.05).send(DESK, SCHOOL, MAIL)
        assert isinstance(outcome, Deferred)
        assert outcome.server_gone
        assert "may have arrived" in outcome.text
        assert server.contents == [MAIL]


def test_a_connection_cut_before_the_dot(submit: Submit) -> None:
    def cut(peer: Peer, _line: bytes) -> None:
        peer.say(b"354 go on")
        peer.read(100)
        peer.reset()

    with ScriptedSmtp(DATA=cut) as server:
        outcome = submit(server.port).send(DESK, SCHOOL, MAIL + b"x" * 5_000_000)
        assert isinstance(outcome, Deferred)
        assert outcome.server_gone
        assert server.connections == 1


@pytest.mark.parametrize("stage", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA"])
def test_a_server_that_hangs(submit: Submit, stage: str) -> None:
    with ScriptedSmtp(**{stage: is_silent}) as server:  # type: ignore[arg-type]
        started = time.monotonic()
        outcome = submit(server.port, timeout=0.2).send(DESK, SCHOOL, MAIL)
        assert time.monotonic() - started < 3
        assert isinstance(outcome, Deferred)
        assert outcome.server_gone
        assert "did not answer in time" in outcome.text
        assert f"127.0.0.1:{server.port}" in outcome.text


@pytest.mark.parametrize(
    ("play", "code", "words"),
    [
        (lambda peer: peer.say(b"554 no service for you"), 554, "no service for you"),
        (lambda peer: peer.say(b"421 too busy"), 421, "too busy"),
        (lambda peer: peer.close(), 0, "127.0.0.1"),
        (lambda peer: peer.say(b"* OK IMAP4rev1 ready"), -1, "refused"),
        (lambda peer: peer.raw(b"2" * 100_000), 500, "Line too long"),
    ],
)
def test_no_greeting_is_never_a_rejection(submit: Submit, play: Callable[[Peer], None], code: int, words: str) -> None:
    with Scripted(play) as server:
        outcome = submit(server.port, timeout=1).send(DESK, SCHOOL, MAIL)
        assert isinstance(outcome, Deferred)
        assert (outcome.code, outcome.server_gone) == (code, True)
        assert words in outcome.text


def test_nobody_listens(submit: Submit) -> None:
    submission = submit(free_port())
    outcome = submission.send(DESK, SCHOOL, MAIL)
    assert isinstance(outcome, Deferred)
    assert outcome.server_gone
    assert "smtp.port" in outcome.text
    with pytest.raises(TemporaryError, match=r"smtp\.port"):
        submission.check()


def test_starttls_with_an_own_authority_and_a_log_in(submit: Submit, certificate: Certificate) -> None:
    with Sink(certificate=certificate, account=("desk", "rahasia")) as sink:
        keys = {"security": "starttls", "username": "desk", "ca_file": str(certificate.certificate)}
        submission = submit(sink.port, password="rahasia", **keys)
        assert isinstance(submission.send(DESK, SCHOOL, MAIL), Accepted)
        assert "TLSv1.3, logged in as desk" in submission.check()
        wrong = submit(sink.port, password="salah", **keys)
        outcome = wrong.send(DESK, SCHOOL, MAIL)
        assert isinstance(outcome, Deferred)
        assert (outcome.code, outcome.server_gone) == (535, True)
        assert "smtp.username and smtp.password" in outcome.text
        with pytest.raises(PermanentError, match=r"smtp\.password"):
            wrong.check()
        nobody = submit(sink.port, security="starttls", ca_file=str(certificate.certificate))
        outcome = nobody.send(DESK, SCHOOL, MAIL)
        assert isinstance(outcome, Deferred)
        assert (outcome.code, outcome.server_gone) == (530, True)
        assert len(sink.envelopes) == 1


@pytest.mark.parametrize("implicit", [False, True])
def test_tls_is_verified(submit: Submit, certificate: Certificate, implicit: bool) -> None:
    with Sink(certificate=certificate, implicit_tls=implicit) as sink:
        security = "tls" if implicit else "starttls"
        trusting = submit(sink.port, security=security, ca_file=str(certificate.certificate))
        assert isinstance(trusting.send(DESK, SCHOOL, MAIL), Accepted)
        distrusting = submit(sink.port, security=security)
        outcome = distrusting.send(DESK, SCHOOL, MAIL)
        assert isinstance(outcome, Deferred)
        assert outcome.server_gone
        assert "smtp.ca_file" in outcome.text
        with pytest.raises(PermanentError, match=r"smtp\.ca_file"):
            distrusting.check()
        assert len(sink.envelopes) == 1


def test_nothing_goes_out_unencrypted_where_tls_was_asked_for(submit: Submit) -> None:
    with Sink() as sink:
        outcome = submit(sink.port, security="starttls").send(DESK, SCHOOL, MAIL)
        assert isinstance(outcome, Deferred)
        assert "no STARTTLS" in outcome.text
        assert sink.envelopes == []
    outcome = submit(25, host="192.0.2.1").send(DESK, SCHOOL, MAIL)
    assert isinstance(outcome, Deferred)
    assert "smtp.allow_insecure" in outcome.text


def test_plain_text_after_starttls_is_not_believed(submit: Submit, certificate: Certificate) -> None:
    def inject(peer: Peer, _line: bytes) -> None:
        peer.say(b"220 begin", b"250 injected")
        peer.wait_for_end()

    with ScriptedSmtp((b"STARTTLS",), STAR=inject) as server:
        outcome = submit(server.port, timeout=0.3, security="starttls", ca_file=str(certificate.certificate)).send(
            DESK, SCHOOL, MAIL
        )
        assert isinstance(outcome, Deferred)
        assert outcome.server_gone


@pytest.mark.parametrize(
    ("extension", "words"),
    [(b"HELP", "offers no log-in"), (b"AUTH GSSAPI NTLM", "only GSSAPI, NTLM")],
)
def test_a_log_in_that_the_server_does_not_offer(submit: Submit, extension: bytes, words: str) -> None:
    with ScriptedSmtp((extension,)) as server:
        outcome = submit(server.port, username="desk", password="rahasia").send(DESK, SCHOOL, MAIL)
        assert isinstance(outcome, Deferred)
        assert words in outcome.text


@pytest.mark.parametrize(
    ("mechanisms", "dialogue"),
    [
        (b"LOGIN PLAIN", [(b"AUTH PLAIN AGTDqXNrAHJhaGFzaWE=", b"235 ok")]),
        (
            b"LOGIN",
            [(b"AUTH LOGIN", b"334 VXNlcm5hbWU6"), (b"ZMOpc2s=", b"334 UGFzc3dvcmQ6"), (b"cmFoYXNpYQ==", b"235 ok")],
        ),
    ],
)
def test_mechanisms_of_the_log_in(submit: Submit, mechanisms: bytes, dialogue: list[tuple[bytes, bytes]]) -> None:
    def talk(peer: Peer, line: bytes) -> None:
        for position, (expected, answer) in enumerate(dialogue):
            assert (line if position == 0 else peer.line()) == expected
            peer.say(answer)

    with ScriptedSmtp((b"AUTH " + mechanisms,), AUTH=talk) as server:
        submission = submit(server.port, username="désk", password="rahasia")
        assert isinstance(submission.send(DESK, SCHOOL, MAIL), Accepted)


def test_a_log_in_that_fails_for_the_moment_is_no_matter_of_credentials(submit: Submit) -> None:
    with ScriptedSmtp((b"AUTH PLAIN",), AUTH=reply(454, "backend is down")) as server:
        submission = submit(server.port, username="desk", password="rahasia")
        outcome = submission.send(DESK, SCHOOL, MAIL)
        assert isinstance(outcome, Deferred)
        assert (outcome.code, outcome.server_gone) == (454, True)
        with pytest.raises(TemporaryError, match="backend is down"):
            submission.check()


def test_parameters_go_only_to_servers_that_know_them(submit: Submit) -> None:
    eight_bit = MAIL + "Terima kasih, Bu Désirée.\r\n".encode()
    with ScriptedSmtp((b"SIZE 1000", b"8BITMIME", b"SMTPUTF8")) as server:
        submission = submit(server.port)
        for raw in (MAIL, eight_bit, b"Subject: \xc3\xa9\r\n" + MAIL):
            assert isinstance(submission.send(DESK, SCHOOL, raw), Accepted)
        offers = [line.partition(b"> ")[2] for line in server.lines[0] if line.startswith(b"MAIL")]
        size = b"SIZE=%d"
        assert offers == [
            size % len(MAIL),
            size % len(eight_bit) + b" BODY=8BITMIME",
            size % (len(MAIL) + 13) + b" BODY=8BITMIME SMTPUTF8",
        ]
    with ScriptedSmtp((b"HELP",)) as server:
        assert isinstance(submit(server.port).send(DESK, SCHOOL, eight_bit), Accepted)
        assert b"MAIL FROM:<" + DESK.encode() + b">" in server.lines[0]
        assert server.contents == [eight_bit]


def test_addresses_of_other_scripts(submit: Submit) -> None:
    with Sink() as sink:
        submission = submit(sink.port)
        assert isinstance(submission.send(DESK, "guru@sekolahé.example", MAIL), Accepted)
        assert isinstance(submission.send(DESK, "désirée@sekolah.example", MAIL), Accepted)
        assert [envelope.rcpt_tos for envelope in sink.envelopes] == [
            ["guru@xn--sekolah-hya.example"],
            ["désirée@sekolah.example"],
        ]
        assert "SMTPUTF8" not in sink.envelopes[0].mail_options
        assert "SMTPUTF8" in sink.envelopes[1].mail_options
    with Sink(smtputf8=False) as sink:
        outcome = submit(sink.port).send(DESK, "désirée@sekolah.example", MAIL)
        assert isinstance(outcome, Rejected)
        assert "SMTPUTF8" in outcome.text


@pytest.mark.parametrize(
    "address", ["", "a@b.id> SIZE=1", "a@b.id\r\nRCPT TO:<c@d.id>", "a@b.id\x00", "a b@c.id", "<a@b.id>"]
)
def test_what_is_no_address_never_reaches_the_server(submit: Submit, address: str) -> None:
    with Sink() as sink:
        outcome = submit(sink.port).send(DESK, address, MAIL)
        assert isinstance(outcome, Rejected)
        assert sink.connections == 0


def test_check_names_what_the_server_can(submit: Submit) -> None:
    with ScriptedSmtp((b"PIPELINING", b"SIZE 26214400")) as server:
        line = submit(server.port).check()
        assert line == f"SMTP 127.0.0.1:{server.port}: not encrypted, no log-in, PIPELINING, mail up to 26214400 bytes"
        assert server.lines[0][-2:] == [b"noop", b"QUIT"]


def test_a_greeting_name_without_dns(submit: Submit) -> None:
    with ScriptedSmtp() as server:
        submit(server.port).check()
        name = server.lines[0][0].split(b" ")[1]
        assert name == b"[127.0.0.1]" or b"." in name


def test_a_slow_transfer_shows_that_it_lives(submit: Submit) -> None:
    seen: list[float] = []

    def slow(peer: Peer, _line: bytes) -> None:
        peer.say(b"354 go on")
        for _ in range(10):
            peer.read(1_000_000)
            seen.append(submission.active_at)
            time.sleep(0.01)
        while peer.line() != b".":
            pass
        peer.say(b"250 queued")

    with ScriptedSmtp(DATA=slow) as server:
        submission = submit(server.port)
        assert isinstance(submission.send(DESK, SCHOOL, MAIL + b"x" * 12_000_000), Accepted)
    assert seen == sorted(seen)
    assert len(set(seen)) > 3


def test_interrupt_ends_a_send_of_another_thread(submit: Submit) -> None:
    with ScriptedSmtp(DOT=is_silent) as server:
        submission = submit(server.port, timeout=60)
        threading.Timer(0.2, submission.interrupt).start()
        started = time.monotonic()
        outcome = submission.send(DESK, SCHOOL, MAIL)
        assert time.monotonic() - started < 5
        assert isinstance(outcome, Deferred)
        assert outcome.server_gone


def test_a_host_name_that_cannot_be_one(submit: Submit) -> None:
    outcome = submit(25, host="a..b", allow_insecure=True).send(DESK, SCHOOL, MAIL)
    assert isinstance(outcome, Deferred)
    assert outcome.server_gone
