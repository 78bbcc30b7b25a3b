"""The two peers that install from packages: django-helpdesk and roundup, each in an environment of its own.

Made from nothing in a scratch folder: pip installs the pinned versions, a fresh tracker on SQLite is configured so that
its work is as like mailbot's as its settings allow:

    django-helpdesk   `manage.py get_email`, queue with an IMAP mailbox, acknowledgement to whoever wrote (every mail);
                      SQLite as Django opens it (rollback journal, synchronous=FULL), a new SMTP connection for each
    roundup           classic tracker, `roundup-mailgw` on IMAP, copy of each message to its author without attachments
                      (messages_to_author=yes, max_attachment_size=0), SQLite with WAL; "Bls:" is known as a reply's
                      prefix; anybody may write; its IMAP port has no option, so Python's default is changed for it

Both acknowledge every mail in plain text (django-helpdesk also in HTML) and look at no loops, bounces or automatic mail
beyond what they do by themselves.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.speed.corpus import DESK, Mail
from bench.speed.products import Servers
from bench.support import machine
from tests.support.dovecot import PASSWORD

_SETTINGS = """
from pathlib import Path
import os
HOME = Path(os.environ["BENCH_DESK"])
SECRET_KEY, DEBUG, USE_TZ, TIME_ZONE, SITE_ID, ALLOWED_HOSTS = "bench", False, True, "Asia/Jakarta", 1, ["*"]
INSTALLED_APPS = ["django.contrib." + name for name in
                  ("admin", "auth", "contenttypes", "sessions", "sites", "messages", "humanize", "staticfiles")]
INSTALLED_APPS += ["rest_framework", "helpdesk"]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware",
              "django.contrib.auth.middleware.AuthenticationMiddleware",
              "django.contrib.messages.middleware.MessageMiddleware"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
              "OPTIONS": {"context_processors": ["django.template.context_processors.request",
                                                 "django.contrib.auth.context_processors.auth",
                                                 "django.contrib.messages.context_processors.messages"]}}]
ROOT_URLCONF, STATIC_URL, MEDIA_URL, MEDIA_ROOT = "bench_urls", "/static/", "/media/", str(HOME / "media")
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(HOME / "db.sqlite3")}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
EMAIL_HOST, EMAIL_PORT, DEFAULT_FROM_EMAIL = "127.0.0.1", int(os.environ["BENCH_SMTP"]), "helpdesk@bench.local"
HELPDESK_TEAMS_MODE_ENABLED = HELPDESK_ACTIVATE_API_ENDPOINT = False
VALID_EXTENSIONS = HELPDESK_VALID_EXTENSIONS = [".jpg", ".png", ".html", ".eml", ".txt", ".jpeg"]
LOGGING = {"version": 1, "disable_existing_loggers": False, "root": {"handlers": [], "level": "WARNING"}}
"""
_URLS = """
from django.urls import include, path
urlpatterns = [path("helpdesk/", include("helpdesk.urls"))]
"""
_QUEUE = """
import os
from helpdesk.models import Queue
queue = Queue.objects.filter(slug="helpdesk").first() or Queue(title="Helpdesk", slug="helpdesk")
queue.email_address, queue.allow_email_submission, queue.email_box_type = "helpdesk@bench.local", True, "imap"
queue.email_box_host, queue.email_box_port = "127.0.0.1", int(os.environ["BENCH_IMAP"])
queue.email_box_user, queue.email_box_pass = os.environ["BENCH_USER"], os.environ["BENCH_PASSWORD"]
queue.email_box_imap_folder, queue.email_box_interval = "INBOX", 0
queue.enable_notifications_on_email_events = True
queue.save()
"""
_MAILGW = (
    "import imaplib, sys; imaplib.IMAP4.__init__.__defaults__ = ('', int(sys.argv.pop(1)), None); "
    "from roundup.scripts.roundup_mailgw import run; sys.exit(run())"
)


class CannotInstall(Exception):
    """This peer is left out; the words say why."""


def install(scratch: Path, name: str, package: str) -> Path:
    """An environment with a package; its folder of programs."""
    home = scratch / name
    programs = home / "bin"
    name_only, _, version = package.partition("==")
    look = f"from importlib.metadata import version; assert version({name_only!r}) == {version!r}"
    if programs.exists() and subprocess.run([programs / "python", "-c", look], capture_output=True).returncode == 0:
        return programs
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    done = subprocess.run(
        [programs / "python", "-m", "pip", "--disable-pip-version-check", "-qq", "install", package],
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise CannotInstall(f"{package} could not be installed: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    return programs


class DjangoHelpdesk:
    """django-helpdesk 2.6.1."""

    name = "django-helpdesk 2.6.1"
    tag = "helpdesk"

    def __init__(self, scratch: Path) -> None:
        self._programs = install(scratch, "v-helpdesk", "django-helpdesk==2.6.1")

    def prepare(self, folder: Path, servers: Servers, earlier: Sequence[Mail]) -> None:
        """A database of its own with one queue."""
        (folder / "media").mkdir(parents=True)
        (folder / "bench_settings.py").write_text(_SETTINGS)
        (folder / "bench_urls.py").write_text(_URLS)
        self._must(folder, servers, "-", "migrate", "-v0")
        servers.dovecot.append("earlier-helpdesk", *(mail.raw for mail in earlier))
        cost = self.take_in(folder, servers, "earlier-helpdesk")
        assert cost.code == 0, (folder / "log").read_text()

    def take_in(self, folder: Path, servers: Servers, user: str) -> machine.Cost:
        """`manage.py get_email`."""
        self._must(folder, servers, user, "shell", "-v0", "-c", _QUEUE)
        command = [self._programs / "python", "-m", "django", "get_email", "--quiet"]
        environment = self._environment(folder, servers, user)
        return machine.run(command, environment=environment, cwd=folder, log=folder / "log")

    def _environment(self, folder: Path, servers: Servers, user: str) -> dict[str, str]:
        return os.environ | {
            "PYTHONPATH": str(folder), "DJANGO_SETTINGS_MODULE": "bench_settings", "PYTHONUTF8": "1",
            "BENCH_DESK": str(folder), "BENCH_SMTP": str(servers.smtp_port), "BENCH_IMAP": str(servers.dovecot.port),
            "BENCH_USER": user, "BENCH_PASSWORD": PASSWORD,
        }  # fmt: skip

    def _must(self, folder: Path, servers: Servers, user: str, *arguments: str) -> None:
        _must([self._programs / "python", "-m", "django", *arguments], folder, self._environment(folder, servers, user))


class Roundup:
    """roundup 2.6.0."""

    name = "roundup 2.6.0"
    tag = "roundup"

    def __init__(self, scratch: Path) -> None:
        self._programs = install(scratch, "v-roundup", "roundup==2.6.0")

    def prepare(self, folder: Path, servers: Servers, earlier: Sequence[Mail]) -> None:
        """A classic tracker to which anybody may write."""
        domain = DESK.partition("@")[2]
        settings = (
            f"tracker_name=bench,tracker_web=http://localhost/bench/,mail_domain={domain},mail_host=127.0.0.1,"
            f"mail_port={servers.smtp_port},messages_to_author=yes"
        )
        admin = [self._programs / "roundup-admin", "-i", folder]
        _must([*admin, "install", "classic", "sqlite", settings], folder.parent)
        config, tracker = folder / "config.ini", folder / "schema.py"
        text = config.read_text()
        text = re.sub(r"(?m)^refwd_re = .*", lambda _: r"refwd_re = (\\s*\\W?\\s*(fw|fwd|re|aw|sv|ang|bls)\\W)+", text)
        text = re.sub(r"(?m)^max_attachment_size = .*", "max_attachment_size = 0", text)
        config.write_text(text)
        permission = "db.security.addPermissionToRole('Anonymous', 'Email Access')"
        tracker.write_text(tracker.read_text().replace(f"#{permission}", permission))
        _must([*admin, "initialise", "bench"], folder.parent)
        servers.dovecot.append("earlier-roundup", *(mail.raw for mail in earlier))
        cost = self.take_in(folder, servers, "earlier-roundup")
        assert cost.code == 0, (folder / "log").read_text()

    def take_in(self, folder: Path, servers: Servers, user: str) -> machine.Cost:
        """`roundup-mailgw`."""
        command = [
            self._programs / "python", "-c", _MAILGW, str(servers.dovecot.port), folder, "imap",
            f"{user}:{PASSWORD}@127.0.0.1",
        ]  # fmt: skip
        return machine.run(command, cwd=folder, log=folder / "log")


def _must(command: Sequence[str | Path], cwd: Path, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
