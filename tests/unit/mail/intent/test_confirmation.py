"""Answers to a confirmation request: yes, no, or a machine's."""

import pytest

from mailbot.mail.classify.rules import classify
from mailbot.mail.intent.intent import Answer, answer_of
from mailbot.mail.mime.parser import parse_message


@pytest.mark.parametrize(
    ("words", "fields", "answer"),
    [
        ("ya", "", Answer.YES),
        ("Ya, itu saya. Tidak apa-apa.", "", Answer.YES),
        ("Itu memang saya", "", Answer.YES),
        ("", "", Answer.YES),  # an empty reply is one
        ("yes", "", Answer.YES),
        ("Silakan\n\nTidak perlu menunggu.", "", Answer.YES),  # only the first line denies
        ("Bukan saya!", "", Answer.NO),
        ("tidak", "", Answer.NO),
        ("That wasn’t me", "", Answer.NO),
        ("I did not write this", "", Answer.NO),
        ("Saya sedang cuti sampai Senin.", "", Answer.NONE),
        ("ya", "Auto-Submitted: auto-replied\r\n", Answer.NONE),
        ("ya", "List-Id: <guru.x>\r\n", Answer.NONE),
    ],
)
def test_what_a_reply_means(words: str, fields: str, answer: Answer) -> None:
    raw = f"From: sally@helpdesk.example\r\nTo: support@helpdesk.example\r\nSubject: Re: x\r\n{fields}\r\n{words}\r\n"
    message = parse_message(raw.encode())
    assert answer_of(message, classify(message), words) is answer


def test_only_the_beginning_of_a_reply_is_read() -> None:
    raw = b"From: sally@helpdesk.example\r\nTo: support@helpdesk.example\r\nSubject: Re: x\r\n\r\nx\r\n"
    message = parse_message(raw)
    for before, answer in ((1994, Answer.NO), (1995, Answer.YES)):  # of 2000 characters the last is the last of "bukan"
        assert answer_of(message, classify(message), "x" * before + " bukan") is answer
