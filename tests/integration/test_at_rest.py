"""What lies on the disk belongs to mailbot's user alone, whatever the umask; the code has no way around parameters."""

from __future__ import annotations

import ast
import json
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support import forkserver

ROOT = Path(__file__).resolve().parents[2]

# A desk at work: database with log and shared memory, locks, key, compiled templates, state, backup, files taken out.
AT_WORK = """
import json, os, sys
from pathlib import Path
os.umask(int(sys.argv[1], 8))
folder = Path(sys.argv[2]) / "baru" / "data"
from mailbot.desk.wiring import open_desk
from mailbot.runtime.clock import SystemClock
from mailbot.cli.ticket_files import write_files
from mailbot.config.model import Settings
from mailbot.store.backup import backup
from mailbot.store import queries
settings = Settings(storage={"data_dir": str(folder)}, agents=[{"name": "Sally", "email": "sally@helpdesk.example"}])
raw = (b"From: acha@sekolah.example\\r\\nTo: support@helpdesk.example\\r\\nSubject: Tolong\\r\\nMessage-ID: <1@x>\\r\\n"
       b"MIME-Version: 1.0\\r\\nContent-Type: application/pdf; name=a.pdf\\r\\n\\r\\n%PDF-1\\r\\n")
with open_desk(settings, clock=SystemClock(), exclusive=True) as desk:
    number = desk.helpdesk.ingest(raw).ticket
    queries.list_tickets(desk.store, queries.TicketFilter(search="tolong"))
    backup(desk.store, folder / "cadangan.db")
    write_files(desk.store, number, folder / "keluar")
    found = {str(p.relative_to(folder.parent)): oct(p.stat().st_mode & 0o7777) for p in folder.parent.rglob("*")}
print(json.dumps(found))
"""


@pytest.mark.parametrize("umask", ["000", "077"])
def test_every_file_of_a_desk_at_work_is_private(tmp_path: Path, umask: str) -> None:
    command = [sys.executable, "-c", AT_WORK, umask, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    names = {Path(name).name for name in found}
    assert {
        "mailbot.db",
        "mailbot.db-wal",
        "mailbot.db-shm",
        "mailbot.lock",
        "secret.key",
        "cadangan.db",
        "a.pdf",
    } <= names
    assert any(name.endswith(".cache") for name in names)
    folders = {"data", "data/template-cache", "data/keluar"}
    assert folders <= set(found)
    assert {name: mode for name, mode in found.items() if mode != ("0o700" if name in folders else "0o600")} == {}


def test_what_init_writes_and_commands_leave_behind_is_private(tmp_path: Path) -> None:
    config = tmp_path / "etc" / "config.toml"
    data = tmp_path / "data"

    def run(*arguments: str) -> None:
        done = forkserver.shared().run(*arguments, "--config", str(config), umask=0)
        assert done.returncode == 0, done.stderr

    run("init", "--address", "support@helpdesk.example", "--imap-host", "mx.example", "--smtp-host", "mx.example")
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in (config.parent, *config.parent.iterdir())}
    # the file itself holds no secret, and mailbot's own user has to read it
    assert modes == {"etc": "0o755", "config.toml": "0o644", "imap.password": "0o600", "smtp.password": "0o600"}
    text = config.read_text(encoding="utf-8")
    text = text.replace('data_dir = "/var/lib/mailbot"', f'data_dir = "{data}"')
    config.write_text(text, encoding="utf-8")
    mail = tmp_path / "satu.eml"
    mail.write_bytes(b"From: acha@sekolah.example\r\nSubject: x\r\nMessage-ID: <1@x>\r\n\r\nisi\r\n")
    run("ingest", str(mail))
    run("db", "backup", str(data / "cadangan.db"))
    found = {path: stat.S_IMODE(path.stat().st_mode) for path in (data, *data.rglob("*"))}
    assert {str(path): oct(mode) for path, mode in found.items() if mode != (0o700 if path.is_dir() else 0o600)} == {}


# Calls that turn text into code, into a shell's words, or into objects.
FORBIDDEN = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill", "xmlrpc", "telnetlib", "ftplib", "commands", "pty"}
# Between a process and its own child, on a pipe that nobody else holds.
ALLOWED = {"mailbot/desk/inbound/analysis_pool.py": {"pickle"}}


def python_files() -> list[Path]:
    return sorted((ROOT / "mailbot").rglob("*.py"))


def is_made(part: ast.AST) -> bool:
    """Is this text put together while the program runs?"""
    if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mod | ast.Add):
        return any(isinstance(side, ast.Constant) and isinstance(side.value, str) for side in (part.left, part.right))
    is_format = isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr == "format"
    return is_format or isinstance(part, ast.JoinedStr)


# SQL that holds a name of ours: a table, a column, a PRAGMA and its number. Each was looked at.
MADE = {"connections.py": 1, "erasure.py": 1, "index.py": 2, "integrity.py": 2}


def test_no_sql_is_made_of_values() -> None:
    """Every text that goes to the database as SQL is a constant, but for the ones above."""
    found: dict[str, int] = {}
    for file in python_files():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("text", "execute", "exec_driver_sql", "executescript", "executemany"):
                made = sum(map(is_made, ast.walk(node.args[0])))
                found[file.name] = found.get(file.name, 0) + made
    assert {name: count for name, count in found.items() if count} == MADE


def test_nothing_runs_text_as_code_or_unpacks_objects() -> None:
    found = []
    for file in python_files():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            where = f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", "")
                keywords = {key.arg: key.value for key in node.keywords}
                shell = keywords.get("shell")
                if name in FORBIDDEN or (isinstance(shell, ast.Constant) and shell.value):
                    found.append(where)
                verify = keywords.get("verify")
                if isinstance(verify, ast.Constant) and verify.value is False:
                    found.append(where)
            if isinstance(node, ast.Import | ast.ImportFrom):
                modules = (
                    [node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
                )
                roots = {module.partition(".")[0] for module in modules}
                allowed = ALLOWED.get(str(file.relative_to(ROOT)), set())
                found += [where for root in sorted(roots & FORBIDDEN_MODULES - allowed)]
    assert found == []


def test_every_dependency_is_pinned() -> None:
    """constraints.txt pins what pyproject.toml asks for, each to one version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = list(project["dependencies"]) + [d for extra in project["optional-dependencies"].values() for d in extra]
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {
        re.split(r"[=<>!~;\s]", line, maxsplit=1)[0].lower().translate({95: 45, 46: 45})
        for line in pins
        if "==" in line
    }
    asked = {re.split(r"[\[=<>!~;\s]", each, maxsplit=1)[0].lower().translate({95: 45, 46: 45}) for each in wanted}
    assert {name for name in asked - pinned if not name.startswith("mailbot")} == set()
    loose = [line for line in pins if line.strip() and not line.startswith("#") and "==" not in line]
    assert loose == []
