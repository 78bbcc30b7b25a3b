"""keep_raw drops the raw mail of long closed tickets, and nothing else."""

from pathlib import Path

from sqlalchemy import func, select

from mailbot.store.privacy.retention import drop_raw_mail
from mailbot.store.tables import INBOUND, RAW_MAIL
from tests.support.people import (
    ACHA,
    SALLY,
    TryDesk,
)


def test_only_the_raw_mail_of_long_closed_tickets_goes(store_url: str, tmp_path: Path) -> None:
    desk = TryDesk(tmp_path, store_url)
    try:
        desk.opened()
        desk.reply(desk.last(SALLY, "notification"), SALLY, "#selesai\nSudah.")
        closed_at = desk.clock.now()
        desk.pass_time(days=10)
        desk.opened(sender="lain@sekolah.example", subject="Masih terbuka")
        store = desk.desk.store

        def count() -> int:
            with store.reading() as connection:
                return int(connection.execute(select(func.count()).select_from(RAW_MAIL)).scalar_one())

        assert count() == 3
        assert drop_raw_mail(store, closed_at) == 0  # not before that very moment
        assert drop_raw_mail(store, desk.clock.now()) == 2
        assert count() == 1
        with store.reading() as connection:
            left = connection.scalars(select(INBOUND.c.raw_id).where(INBOUND.c.raw_id.is_not(None))).all()
            assert left == connection.scalars(select(RAW_MAIL.c.id)).all()
        assert drop_raw_mail(store, desk.clock.now()) == 0
        assert [m["text"] for m in desk.ticket()["messages"] if m["kind"] == "report"] == ["BKU Oktober."]
        assert desk.to(ACHA)
    finally:
        desk.close()
