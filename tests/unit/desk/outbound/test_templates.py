"""The words of the mail that goes out: to the letter where the schools know them, and safe with any text in them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailbot.desk.outbound.formats import (
    format_hours,
    format_moment,
    format_size,
    format_span,
    format_stamp,
    greeting_name,
)
from mailbot.desk.outbound.template_samples import samples
from mailbot.desk.outbound.templates import LANGUAGES, TEMPLATES, Rendered, Renderer, RenderSettings, packaged_templates
from mailbot.desk.views import DeskView, FaultView, PersonView, TicketView
from mailbot.errors import ConfigError
from mailbot.mail.message import MessageKind
from mailbot.ticket.command_parser import Fault
from mailbot.ticket.events import Topic
from mailbot.ticket.service_hours import ServiceHours
from mailbot.vocabulary.labels import KINDS, STATUS_EXPLANATIONS, STATUSES
from mailbot.vocabulary.quoting import MARKER_LINES

JAKARTA = ZoneInfo("Asia/Jakarta")
RENDERER = Renderer(RenderSettings(JAKARTA, hours=ServiceHours(JAKARTA)))
EVERY = [
    pytest.param(name, language, variant, id=f"{name}.{variant or 'sample'}.{language}")
    for name in TEMPLATES
    for language in LANGUAGES
    for variant in samples(name, language)
]
HOSTILE = '<script>alert("x")</script> & {{ 7 * 7 }} <img src=x onerror=alert(1)>'


def rendered(name: str, language: str = "id", variant: str = "", **differing: object) -> Rendered:
    return RENDERER.render(name, language, samples(name, language)[variant] | differing)


def ticket_of(name: str, language: str = "id") -> TicketView:
    ticket = samples(name, language)[""]["ticket"]
    assert isinstance(ticket, TicketView)
    return ticket


# What holds for every mail


@pytest.mark.parametrize(("name", "language", "variant"), EVERY)
def test_every_mail_is_small_quiet_and_whole(name: str, language: str, variant: str) -> None:
    mail = rendered(name, language, variant)
    assert "\n" not in mail.subject and mail.subject.strip()
    assert len((mail.text + mail.html).encode()) < 12_000
    assert not re.search(r"\bsrc=|url\(|@import|<link|<script|<img|display:\s*(flex|grid)", mail.html)
    assert not re.search(r"[{}]{2}|{%|\bNone\b|\bTrue\b", mail.text)
    assert not re.search(r"[{}]{2} |{%|\bNone\b", mail.html)


@pytest.mark.parametrize(("name", "language", "variant"), EVERY)
def test_every_mail_starts_with_the_line_that_replies_are_cut_at(name: str, language: str, variant: str) -> None:
    mail = rendered(name, language, variant)
    marker = MARKER_LINES[LANGUAGES.index(language)]
    if name.startswith("admin/"):  # nobody is asked to reply to these
        assert marker not in mail.text and marker not in mail.html
        return
    assert mail.text.startswith(marker + "\n")
    assert mail.html.count(marker) == 1


@pytest.mark.parametrize(("name", "language", "variant"), EVERY)
def test_text_is_wrapped_and_html_closes_what_it_opens(name: str, language: str, variant: str) -> None:
    mail = rendered(name, language, variant)
    assert Balance(mail.html).open_tags == []
    assert "\n\n\n" not in mail.text
    # People's words, and sentences that are to the letter, stay on one line whatever their length.
    theirs = str(samples(name, language)) + str(STATUS_EXPLANATIONS)
    ours = [line for line in mail.text.splitlines() if not line.startswith(">") and line not in theirs]
    assert [line for line in ours if len(line) > 90 and name.startswith("requester/")] == []


class Balance(HTMLParser):
    """Tags that were opened and never closed."""

    VOID = frozenset(("meta", "br", "link"))

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open_tags: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in self.VOID:
            self.open_tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags.pop() == tag


ON_A_TICKET = [name for name in TEMPLATES if "ticket" in TEMPLATES[name][0]]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [*ON_A_TICKET, "agent/error", "agent/notice"])
def test_all_mail_about_a_ticket_has_the_subject_that_schools_search_for(name: str, language: str) -> None:
    ticket = ticket_of(name, language)
    assert rendered(name, language).subject == f"#12345 - {ticket.subject}"
    assert "12345" in rendered(name, language).text and "12345" in rendered(name, language).html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", list(TEMPLATES))
def test_a_strangers_text_stays_text(name: str, language: str) -> None:
    """In HTML it is escaped, and it is never a template."""
    context = samples(name, language)[""]
    person = PersonView("a@b.example", HOSTILE)
    hostile: dict[str, object] = {"person": person}
    if isinstance(context["ticket"], TicketView):
        hostile["ticket"] = replace(context["ticket"], subject=HOSTILE, requester=person, program=HOSTILE)
    for key in ("words", "mail_subject"):
        if key in context:
            hostile[key] = HOSTILE
    if "facts" in context:
        hostile["facts"] = {"actor": HOSTILE, "did": "answer", "words": HOSTILE}
    if "errors" in context:
        hostile["errors"] = (FaultView("unknown", HOSTILE, 1, HOSTILE, (HOSTILE,)),)
    mail = rendered(name, language, "", **hostile)
    assert "<script" not in mail.html and "<img" not in mail.html
    assert "49" not in re.sub(r"#\w+|\d+px", "", mail.html)


# To the letter


@pytest.mark.parametrize("status", list(STATUSES["id"]))
def test_the_status_mail_has_the_fields_that_schools_know(status: str) -> None:
    ticket = replace(ticket_of("requester/status"), status=status)
    text = rendered("requester/status", ticket=ticket).text
    assert [line.split(": ")[0] for line in text.splitlines() if re.match(r"[A-Z-]+ ?[A-Z ]*: ", line)] == [
        "NOMOR TIKET",
        "E-MAIL PELAPOR",
        "JUDUL LAPORAN",
        "TANGGAL LAPORAN",
        "TANGGAL BALASAN TERAKHIR",
        "STATUS TIKET",
    ]
    assert f"STATUS TIKET: {STATUSES['id'][status]}\n\n{STATUS_EXPLANATIONS['id'][status]}\n" in text
    assert "\nJawaban terakhir atas tiket laporan dapat Anda cek di email yang tercantum di atas\n" in text
    html = rendered("requester/status", ticket=ticket).html
    assert STATUS_EXPLANATIONS["id"][status] in html
    assert "Jawaban terakhir atas tiket laporan dapat Anda cek di email yang tercantum di atas" in html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["requester/closure_solved", "requester/closure_no_reply"])
def test_a_closure_notice_says_how_to_say_that_the_problem_is_still_there(name: str, language: str) -> None:
    mail = rendered(name, language)
    assert "Kendala masih terjadi" in mail.text and "Kendala masih terjadi" in mail.html


@pytest.mark.parametrize(
    ("language", "words"),
    [("id", "Senin, 24 November 2025 pukul 08:00 WIB"), ("en", "Monday, 24 November 2025 at 08:00 WIB")],
)
@pytest.mark.parametrize("name", ["requester/acknowledgement_out_of_hours", "requester/acknowledgement_follow_up"])
def test_outside_service_hours_the_acknowledgement_names_day_and_hour(name: str, language: str, words: str) -> None:
    mail = rendered(name, language)
    assert words in mail.text and words in mail.html


def test_in_service_hours_no_hour_is_promised() -> None:
    assert "pukul" not in rendered("requester/acknowledgement").text
    assert "pukul" not in rendered("requester/acknowledgement_follow_up", variant="in_hours").text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_acknowledgement_of_a_follow_up_names_both_numbers(language: str) -> None:
    mail = rendered("requester/acknowledgement_follow_up", language)
    for number in ("12001", "12345"):
        assert number in mail.text and number in mail.html


@pytest.mark.parametrize(
    ("language", "words"),
    [("id", "Rabu, 26 November 2025 pukul 10:30 WIB"), ("en", "Wednesday, 26 November 2025 at 10:30 WIB")],
)
def test_the_last_reminder_names_the_exact_closing_time(language: str, words: str) -> None:
    mail = rendered("requester/reminder_2", language)
    assert words in mail.text and words in mail.html


def test_an_agents_words_reach_the_school_as_they_were_written() -> None:
    words = "Selamat siang,\n\n  1. Buka menu BKU\n  2. Klik “Tutup”\n\n\nhttps://contoh.example/a?b=1&c=2"
    mail = rendered("requester/answer", words=words)
    assert words in mail.text
    assert "Selamat siang,<br>\n<br>\n &nbsp;1. Buka menu BKU<br>" in mail.html
    assert "a?b=1&amp;c=2" in mail.html


def test_only_a_waiting_ticket_threatens_to_close() -> None:
    answer = "Tiket akan tertutup secara otomatis jika dalam 2x24 jam tidak mendapat balasan."
    assert answer in rendered("requester/answer").text
    assert answer not in rendered("requester/answer", variant="in_progress").text
    assert answer not in rendered("requester/answer", variant="closed").text


def test_the_span_until_a_ticket_closes_is_that_of_the_settings() -> None:
    desk = DeskView("Desk", "D", "d@x.example")
    renderer = Renderer(RenderSettings(JAKARTA, desk, auto_close=timedelta(hours=30), service_clock=True))
    context = samples("requester/answer", "id")[""]
    del context["desk"]
    assert "dalam 30 jam layanan tidak" in renderer.render("requester/answer", "id", context).text


def test_the_desk_names_no_acknowledged_words_of_the_sender() -> None:
    """An acknowledgement goes to whoever a forged From names: it carries nothing but the subject and a plain name."""
    assert set(TEMPLATES["requester/acknowledgement"][0]) == {"ticket", "person"}
    spam = rendered("requester/acknowledgement", person=PersonView("a@b.example", "WIN http://evil.example NOW"))
    assert "evil" not in spam.text + spam.html


@pytest.mark.parametrize("name", ["agent/notification", "agent/notice", "agent/error"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_history_is_quoted_below_with_who_and_when(name: str, language: str) -> None:
    entries = samples("agent/notification", language)[""]["history"]
    mail = rendered(name, language, history=entries)
    assert "24 November 2025, 10:30:08 WIB - Sally" in mail.text
    assert "> [layar.jpg]" in mail.text and "[layar.jpg]" in mail.html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_of_a_command_has_its_words(fault: Fault, language: str) -> None:
    error = FaultView(fault.value, "#gabung 1", 1, "1")
    one = rendered("agent/error", language, errors=(error,)).text
    other = rendered("agent/error", language, errors=(replace(error, fault="unknown"),)).text
    assert (one == other) is (fault is Fault.UNKNOWN)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_topic_of_a_notice_has_its_words(language: str) -> None:
    variants = samples("agent/notice", language)
    assert {str(context["topic"]) for context in variants.values()} == {topic.value for topic in Topic}
    texts = [rendered("agent/notice", language, variant).text for variant in variants]
    assert all(text.split("\n")[2] for text in texts) and len(set(texts)) == len(texts)


def test_every_kind_of_mail_that_can_fail_has_its_words() -> None:
    ours = {"answer", "acknowledgement", "reminder", "closure", "notification", "status", "notice"}
    assert ours == set(KINDS["id"]) == set(KINDS["en"])
    assert ours <= {kind.value for kind in MessageKind}


# Times, sizes, names


def test_times_are_of_the_desks_zone_with_its_name() -> None:
    at = datetime(2025, 11, 3, 3, 45, 13, tzinfo=UTC)
    assert format_stamp(at, "id", JAKARTA) == "3 November 2025, 10:45:13 WIB"
    assert format_stamp(at, "en", JAKARTA) == "03 November 2025, 10:45:13 WIB"
    assert format_stamp(at, "id", ZoneInfo("Asia/Makassar")) == "3 November 2025, 11:45:13 WITA"
    assert format_stamp(at, "id", ZoneInfo("Asia/Jayapura")) == "3 November 2025, 12:45:13 WIT"
    assert format_stamp(at, "en", ZoneInfo("Europe/Berlin")) == "03 November 2025, 04:45:13 CET"
    assert format_moment(at, "id", JAKARTA) == "Senin, 3 November 2025 pukul 10:45 WIB"
    assert format_moment(at, "en", ZoneInfo("Asia/Pontianak")) == "Monday, 3 November 2025 at 10:45 WIB"


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(hours=48), "2x24 jam"),
        (timedelta(hours=6), "6 jam"),
        (timedelta(minutes=90), "90 menit"),
        (timedelta(seconds=4), "4 detik"),
        (timedelta(0), "0 detik"),
    ],
)
def test_spans_are_told_as_the_schools_know_them(span: timedelta, words: str) -> None:
    assert format_span(span, "id") == words


def test_service_hours_are_told_in_a_line() -> None:
    assert format_hours(ServiceHours(JAKARTA), "id") == (
        "Senin sampai Jumat, 08:00-17:00 WIB, kecuali hari libur dan cuti bersama"
    )
    two = ServiceHours(JAKARTA, frozenset({0, 3}), time(9), time(0))
    assert format_hours(two, "en", except_holidays=False) == "Monday and Thursday, 09:00-24:00 WIB"
    three = ServiceHours(ZoneInfo("Europe/Berlin"), frozenset({0, 2, 5}))
    assert format_hours(three, "en", except_holidays=False) == "Monday, Wednesday and Saturday, 08:00-17:00"


def test_sizes_are_told_with_the_languages_own_comma() -> None:
    assert [format_size(n, "id") for n in (812, 20_481, 1_482_001, 35_000_000)] == ["812 B", "20 KB", "1,5 MB", "35 MB"]
    assert format_size(1_482_001, "en") == "1.5 MB"


@pytest.mark.parametrize(
    ("display", "greeted"),
    [
        ("Acha Lestari", "Acha Lestari"),
        ("  Acha   Lestari, S.Pd. ", "Acha Lestari"),
        ("SDN 1 Menteng", "SDN 1 Menteng"),
        ("Nur'aini (Bendahara)", "Nur'aini (Bendahara)"),
        ("", ""),
        ("evil.example", ""),
        ("Klik https://evil.example", ""),
        ("Hubungi 081234567890", ""),
        ("x" * 200, ""),
        ("a@b.example", ""),
        ("Acha\nBcc: x", ""),
    ],
)
def test_a_greeting_repeats_only_what_is_plainly_a_name(display: str, greeted: str) -> None:
    assert greeting_name(display) == greeted


# The admin's own templates


def put(folder: Path, path: str, text: str) -> Path:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_a_folder_of_the_admins_wins_file_by_file(tmp_path: Path) -> None:
    put(tmp_path, "requester/acknowledgement.id.txt.j2", "Halo {{ ticket.number }}")
    renderer = Renderer(RenderSettings(JAKARTA), tmp_path)
    assert set(renderer.check()) == set(TEMPLATES)
    mail = renderer.render("requester/acknowledgement", "id", renderer.sample("requester/acknowledgement", "id"))
    assert mail.text == "Halo 12345\n"
    assert "Nomor tiket" in mail.html


def test_a_shared_layout_can_be_replaced_as_well(tmp_path: Path) -> None:
    put(tmp_path, "base.txt.j2", "Dinas Pendidikan\n{% block body %}{% endblock %}")
    renderer = Renderer(RenderSettings(JAKARTA), tmp_path)
    for name in renderer.names():
        assert renderer.render(name, "en", renderer.sample(name, "en")).text.startswith("Dinas Pendidikan\n")


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a\n{{ ticket.nonsense }}", 2, "nonsense"),
        ("a\nb\n{{ oops", 3, "unexpected end of template"),
        ("{{ nobody }}", 1, "'nobody' is undefined"),
        ("\n{{ 1 / 0 }}", 2, "ZeroDivisionError"),
        ("{{ ().__class__.__base__.__subclasses__() }}", 1, "unsafe"),
        ("{{ words | nofilter }}", 1, "nofilter"),
        ("{% include 'nowhere.j2' %}", None, "nowhere.j2"),
    ],
)
def test_a_broken_template_is_refused_by_file_and_line(tmp_path: Path, text: str, line: int | None, what: str) -> None:
    file = put(tmp_path, "requester/answer.id.txt.j2", text)
    with pytest.raises(ConfigError) as refused:
        Renderer(RenderSettings(JAKARTA), tmp_path).check()
    (problem,) = refused.value.problems
    assert problem.startswith(f"{file}, line {line}: " if line else "requester/answer: ")
    assert what in problem


def test_all_broken_templates_are_named_at_once(tmp_path: Path) -> None:
    put(tmp_path, "requester/answer.id.txt.j2", "{{ a }}")
    put(tmp_path, "agent/help.en.html.j2", "{{ b }}")
    with pytest.raises(ConfigError) as refused:
        Renderer(RenderSettings(JAKARTA), tmp_path).check()
    assert len(refused.value.problems) == 2


def test_a_branch_that_the_sample_does_not_reach_is_tried_too(tmp_path: Path) -> None:
    put(tmp_path, "requester/answer.id.txt.j2", '{% if ticket.status == "closed" %}{{ oops }}{% endif %}')
    with pytest.raises(ConfigError, match="oops"):
        Renderer(RenderSettings(JAKARTA), tmp_path).check()


def test_a_mistyped_file_name_is_named_with_the_nearest_right_one(tmp_path: Path) -> None:
    put(tmp_path, "requester/acknowledgment.id.txt.j2", "Halo")
    put(tmp_path, "requester/_contact.id.txt.j2", "a part that others include")
    with pytest.raises(ConfigError, match=re.escape("did you mean requester/acknowledgement.id.txt.j2?")) as refused:
        Renderer(RenderSettings(JAKARTA), tmp_path).check()
    assert len(refused.value.problems) == 1


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="templates_dir"):
        Renderer(RenderSettings(JAKARTA), tmp_path / "nowhere")


def test_a_file_that_is_no_utf8_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent/help.id.txt.j2").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="agent/help"):
        Renderer(RenderSettings(JAKARTA), tmp_path).check()


def test_every_packaged_file_belongs_to_a_mail() -> None:
    wanted = {
        f"{name}.{language}.{part}.j2"
        for name in TEMPLATES
        for language in LANGUAGES
        for part in ("subject", "txt", "html")
    }
    folder = packaged_templates()
    there = {file.relative_to(folder).as_posix() for file in folder.rglob("*.j2")}
    assert wanted <= there
    pages = {f"web/{page}.html.j2" for page in ("base", "form", "received", "status")}
    assert {path for path in there - wanted if "/" in path and "/_" not in path} == pages
