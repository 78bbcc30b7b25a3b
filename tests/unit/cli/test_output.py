"""What people see: no escape sequence of a mail reaches their terminal, a pipe gets whole lines."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailbot.cli import output
from mailbot.cli.options import restore_owner
from mailbot.cli.report_view import print_csv, print_report


def test_control_characters_of_a_mail_are_made_visible() -> None:
    assert output.safe("red \x1b[31m\x07\x9b\u202e\tend\n") == "red �[31m���\tend\n"
    assert output.cell("two\nlines \r and  blanks") == "two lines � and blanks"
    assert output.cell(None) == ""
    assert output.cell(["a", "b"]) == "a, b"


def test_a_table_in_a_pipe_has_whole_lines_and_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    long = "[bold]" + "kata " * 60 + "akhir :smile:"
    assert output.print_table(("number", "subject"), [(7, long), (12345, "x")], right=("number",)) == 2
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == ["number  subject", f"     7  {long}", " 12345  x"]


def test_times_are_of_the_desks_zone() -> None:
    assert output.moment("2025-11-24T01:00:00+00:00", ZoneInfo("Asia/Jakarta")) == "2025-11-24 08:00"
    assert output.moment(None, ZoneInfo("Asia/Jakarta")) == ""


def test_json_is_one_document_in_utf_8_with_offsets(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({"at": datetime(2025, 11, 24, tzinfo=UTC), "name": "Café"})
    assert capsys.readouterr().out == '{"at": "2025-11-24T00:00:00+00:00", "name": "Café"}\n'


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can create files for somebody else")
def test_what_root_made_goes_to_the_folders_owner(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    secret = tmp_path / "outside"
    for file in (folder / "mailbot.db", secret):
        file.write_text("x")
    (folder / "link").symlink_to(secret)
    restore_owner(folder)
    assert (folder / "mailbot.db").stat().st_uid == 0  # the folder is root's own
    os.chown(folder, 65534, 65534)
    restore_owner(folder)
    assert (folder / "mailbot.db").stat().st_uid == 65534
    assert secret.stat().st_uid == 0
    restore_owner(tmp_path / "nowhere")


REPORT = {
    "since": "2025-11-01T00:00:00+07:00",
    "until": "2025-11-03T12:00:00+07:00",
    "opened": 6,
    "closed": 4,
    "spam": 1,
    "merged": 0,
    "follow_ups": 1,
    "follow_up_rate": 0.25,
    "open_now": {"queued": 2, "in_progress": 0, "waiting": 1},
    "first_response": {"count": 4, "median_seconds": 720.0, "p90_seconds": 12600.0},
    "resolution": {"count": 0, "median_seconds": None, "p90_seconds": None},
    "days": [
        {"day": "2025-11-01", "opened": 4, "closed": 1, "replies": 2, "answers": 3},
        {"day": "2025-11-02", "opened": 0, "closed": 0, "replies": 0, "answers": 0},
        {"day": "2025-11-03", "opened": 2, "closed": 3, "replies": 1, "answers": 1},
    ],
    "agents": [
        {
            "agent": None,
            "opened": 1,
            "closed": 0,
            "answers": 0,
            "follow_ups": 0,
            "first_response": {"count": 0, "median_seconds": None, "p90_seconds": None},
            "resolution": {"count": 1, "median_seconds": 200000.0, "p90_seconds": 200000.0},
        }
    ],
    "programs": [],
}


def test_the_report_tells_figures_days_and_shares(capsys: pytest.CaptureFixture[str]) -> None:
    print_report(REPORT)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[:7] == [
        "2025-11-01 to 2025-11-03",
        "opened          6, of which 1 spam, 0 merged",
        "closed          4",
        "came back       1 (25% of those closed)",
        "first response  half within 12 min, nine of ten within 3.5 h",
        "resolution      –",
        "open now        2 queued, 1 waiting",
    ]
    assert lines[9:12] == [f"2025-11-01  {'█' * 40} 4", "2025-11-02  0", f"2025-11-03  {'█' * 20} 2"]
    assert lines[-1].split() == ["(none)", "1", "0", "0", "0", "–", "2.3", "d"]


def test_a_long_report_is_charted_by_the_week(capsys: pytest.CaptureFixture[str]) -> None:
    days = [{"day": f"2025-{1 + n // 28:02}-{1 + n % 28:02}", "opened": 1} for n in range(70)]
    print_report(REPORT | {"days": days})
    said = capsys.readouterr().out
    assert "week by week" in said
    assert said.count("█ 7") == 10


def test_the_reports_days_as_csv(capsys: pytest.CaptureFixture[str]) -> None:
    print_csv(REPORT)
    assert capsys.readouterr().out.splitlines() == [
        "day,opened,closed,replies,answers",
        "2025-11-01,4,1,2,3",
        "2025-11-02,0,0,0,0",
        "2025-11-03,2,3,1,1",
    ]
