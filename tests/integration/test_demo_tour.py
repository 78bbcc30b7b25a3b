"""The guided tour in the terminal, and the command that runs the demo: real mail, real daemon."""

from __future__ import annotations

import io
import json
import os
import signal
import smtplib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest
from rich.console import Console

from mailbot.demo.mail_client import Draft, new_mail
from mailbot.demo.page_server import PageServer
from mailbot.demo.people import SDN1, SMPN3
from mailbot.demo.session import Session
from mailbot.demo.simulation import FIRST_TICKET, Simulation
from mailbot.demo.terminal import play_in_terminal
from mailbot.demo.tour import steps


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    with Simulation() as one:
        yield one


@pytest.mark.slow
def test_the_tour_plays_a_tickets_whole_life_in_under_a_minute(simulation: Simulation) -> None:
    out = io.StringIO()
    started = time.monotonic()
    assert play_in_terminal(simulation, Console(file=out, width=100)) == 0
    assert time.monotonic() - started < 60
    text = out.getvalue()
    for position, step in enumerate(steps(), 1):
        assert f"{position}. {step.words['id'].title}" in text
        assert step.words["en"].title in text
    for line in (
        "Sally (BOSP) → SDN 1 Menteng · jawaban", "Helpdesk BOSP → SDN 1 Menteng · pengingat", "bukti-bku.png",
        "Helpdesk BOSP → SDN 1 Menteng · penutupan", "SDN 1 Menteng → Sally · pemberitahuan", "STATUS #12346",
    ):  # fmt: skip
        assert line in text
    first, second = simulation.ticket(FIRST_TICKET), simulation.ticket(FIRST_TICKET + 1)
    assert first is not None
    assert second is not None
    assert (first["status"], first["close_reason"], first["reminders_sent"]) == ("closed", "no_reply", 2)
    assert (second["status"], second["close_reason"], second["follow_up_of"]) == ("closed", "solved", FIRST_TICKET)
    assert first["follow_ups"] == [FIRST_TICKET + 1]
    # The stranger's question opened nothing, and neither did the thanks.
    assert len(simulation.tickets()) == 2
    kinds = [mail.kind for mail in simulation.mailboxes.of(SDN1) if not mail.sent]
    assert kinds == [
        "acknowledgement", "answer", "answer", "reminder", "reminder", "closure",
        "acknowledgement", "status", "closure",
    ]  # fmt: skip
    assert [mail.kind for mail in simulation.mailboxes.of(SMPN3) if not mail.sent] == ["status"]


def test_a_step_that_does_not_happen_is_named_with_its_reason() -> None:
    simulation = Simulation()
    with simulation:
        pass  # it has ended: nobody takes the mail
    out = io.StringIO()
    assert play_in_terminal(simulation, Console(file=out, width=200)) == 1
    assert "Langkah 1 (report): the mail server could not be used" in out.getvalue()


def test_ctrl_c_ends_the_tour_at_once() -> None:
    command = [sys.executable, "-m", "mailbot", "demo", "--tour"]
    environment = os.environ | {"COLUMNS": "120", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as demo:
        assert demo.stdout is not None
        assert any("6 jam kemudian" in line for line in demo.stdout)  # the clock runs now
        started = time.monotonic()
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()
        assert demo.wait(20) == 130
        assert time.monotonic() - started < 5
        assert "Traceback" not in rest


def test_a_taken_port_is_replaced_by_a_free_one(simulation: Simulation) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        server = PageServer(Session(simulation), taken)
        server.start()
        try:
            assert server.port != taken
            with urllib.request.urlopen(server.address, timeout=20) as answer:
                assert b"<title>mailbot" in answer.read()
        finally:
            server.stop()


def test_a_mail_to_nobody_is_refused_by_the_mail_server(simulation: Simulation) -> None:
    mail = new_mail(Draft(SDN1, "y", simulation.clock.now(), subject="x"), ["siapa@sekolah.example"])
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="nobody of that name"):
        simulation.send(SDN1, mail)
    assert simulation.mailboxes.all() == []


def test_a_mail_between_people_does_not_reach_the_desk(simulation: Simulation) -> None:
    draft = Draft(SDN1, "Besok pukul 9.", simulation.clock.now(), subject="Rapat")
    simulation.send(SDN1, new_mail(draft, [SMPN3.email]))
    assert simulation.changes.wait_for(lambda: len(simulation.mailboxes.of(SMPN3)) == 1, 10)
    [mail] = simulation.mailboxes.of(SMPN3)
    assert mail.message.return_path == SDN1.email
    assert mail.message.headers.get("Delivered-To") == SMPN3.email
    assert len(mail.message.received) == 1
    assert simulation.tickets() == []


def test_the_command_serves_the_page_and_ends_cleanly_by_ctrl_c() -> None:
    command = [sys.executable, "-m", "mailbot", "demo", "--no-browser", "--port", "0"]
    environment = os.environ | {"COLUMNS": "120", "PYTHONUNBUFFERED": "1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=subprocess.STDOUT, text=True, env=environment) as demo:
        assert demo.stdout is not None
        line = next(line for line in demo.stdout if "http://" in line)
        address = line.split("→")[1].strip()
        with urllib.request.urlopen(f"{address}api/state", timeout=20) as answer:
            state = json.load(answer)
        assert [person["key"] for person in state["people"]] == ["sdn1", "smpn3", "sally", "budi"]
        stream = urllib.request.urlopen(f"{address}api/events", timeout=20)  # a tab that stays open
        assert stream.readline().startswith(b"data: ")
        started = time.monotonic()
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()
        assert demo.wait(20) == 0, rest
        stream.close()
        assert time.monotonic() - started < 10
        assert "Traceback" not in rest
        assert "nothing is left behind" in rest
