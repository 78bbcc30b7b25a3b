"""The first tables.

Search has three parts that models can't say: on SQLite the FTS5 table `ticket_search` (contentless: its words stand in
`ticket_words`) with a view of its words, and on both the trigger on `message` that fills `to_index` with what people
wrote.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite gives a row id only to INTEGER PRIMARY KEY.
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = sa.DateTime(timezone=True)
Words = sa.Text().with_variant(postgresql.TSVECTOR(), "postgresql")


def upgrade() -> None:
    _desk()
    _mail_in()
    _tickets()
    _outbox()
    _restraint()
    _search()


def _desk() -> None:
    """The desk itself."""
    op.create_table(
        "desk",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("next_number", sa.Integer(), nullable=False),
        sa.Column("round_robin", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", name="uq_desk_name"),
    )
    op.create_table(
        "mailbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("read_at", Moment, nullable=True),
        sa.ForeignKeyConstraint(["desk_id"], ["desk.id"], name="fk_mailbox_desk"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("desk_id", "name", name="uq_mailbox_name"),
    )
    op.create_table(
        "agent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("programs", sa.JSON(), nullable=False),
        sa.Column("in_file", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("term", sa.Integer(), nullable=False),
        sa.Column("added_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("desk_id", "email", name="uq_agent_email"),
    )
    op.create_table(
        "audit",
        sa.Column("id", Id, nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("until", Moment, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "quarantine_list",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=False),
        sa.Column("opening", Moment, nullable=False),
        sa.Column("mails", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("desk_id", "opening", name="uq_quarantine_list_opening"),
    )
    op.create_table(
        "astray",
        sa.Column("inbound_id", Id, autoincrement=False, nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("inbound_id"),
    )
    op.create_table(
        "claim",
        sa.Column("inbound_id", Id, autoincrement=False, nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("tried", sa.Boolean(), nullable=False),
        sa.Column("order_keys", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("inbound_id"),
    )


def _mail_in() -> None:
    """Mail as it came."""
    op.create_table(
        "raw_mail",
        sa.Column("id", Id, nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("stored_at", Moment, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sha256", name="uq_raw_mail_sha256"),
    )
    op.create_table(
        "inbound",
        sa.Column("id", Id, nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("raw_sha256", sa.String(), nullable=False),
        sa.Column("raw_id", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("received_at", Moment, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("partial", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("duplicate_of", sa.BigInteger(), nullable=True),
        sa.Column("traceback", sa.Text(), nullable=False),
        sa.Column("explanation", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("filed", sa.Boolean(), nullable=False),
        sa.Column("processed_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("mailbox_id", "uidvalidity", "uid", name="uq_inbound_uid"),
    )
    op.create_index("ix_inbound_identity", "inbound", ["desk_id", "message_id", "digest"])
    op.create_index("ix_inbound_raw", "inbound", ["raw_id"])
    op.create_index("ix_inbound_state", "inbound", ["desk_id", "state", "id"])
    op.create_index("ix_inbound_ticket", "inbound", ["ticket_id"])


def _tickets() -> None:
    """Tickets and what belongs to one."""
    op.create_table(
        "ticket",
        sa.Column("id", Id, nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("requester_email", sa.String(), nullable=False),
        sa.Column("requester_name", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("program", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("closed_at", Moment, nullable=True),
        sa.Column("close_reason", sa.String(), nullable=True),
        sa.Column("follow_up_of", sa.Integer(), nullable=True),
        sa.Column("merged_into", sa.Integer(), nullable=True),
        sa.Column("wait_cycle", sa.Integer(), nullable=False),
        sa.Column("waiting_since", Moment, nullable=True),
        sa.Column("reminders_sent", sa.Integer(), nullable=False),
        sa.Column("last_reminder_at", Moment, nullable=True),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("root_message_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("desk_id", "number", name="uq_ticket_number"),
    )
    op.create_index("ix_ticket_agent", "ticket", ["desk_id", "agent", "number"])
    op.create_index("ix_ticket_created", "ticket", ["desk_id", "created_at"])
    op.create_index("ix_ticket_follow_up", "ticket", ["desk_id", "follow_up_of"])
    op.create_index("ix_ticket_merged", "ticket", ["desk_id", "merged_into"])
    op.create_index("ix_ticket_requester", "ticket", ["desk_id", "requester_email", "number"])
    op.create_index("ix_ticket_status", "ticket", ["desk_id", "status", "number"])
    op.create_table(
        "participant",
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("visible", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_participant_ticket"),
        sa.PrimaryKeyConstraint("ticket_id", "email"),
    )
    op.create_index("ix_participant_email", "participant", ["desk_id", "email"])
    op.create_table(
        "message",
        sa.Column("id", Id, nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("author_name", sa.String(), nullable=False),
        sa.Column("author_role", sa.String(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("attachments", sa.JSON(), nullable=False),
        sa.Column("raw_sha256", sa.String(), nullable=False),
        sa.Column("inbound_id", sa.BigInteger(), nullable=True),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("id_here", sa.Boolean(), nullable=False),
        sa.Column("by_other", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_message_ticket"),
        sa.PrimaryKeyConstraint("id"),
    )
    for name, column, flag, is_set in (
        ("ix_message_author", "author", "by_other", "by_other = 1"),
        ("ix_message_message_id", "message_id", "id_here", "id_here = 1"),
    ):
        op.create_index(
            name,
            "message",
            ["desk_id", column],
            sqlite_where=sa.text(is_set),
            postgresql_where=sa.text(flag),
        )
    op.create_index("ix_message_inbound", "message", ["inbound_id"])
    op.create_index("ix_message_ticket", "message", ["ticket_id", "id"])
    op.create_table(
        "event",
        sa.Column("id", Id, nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("from", sa.Text(), nullable=False),
        sa.Column("to", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_event_ticket"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_event_ticket", "event", ["ticket_id", "id"])
    op.create_table(
        "timer",
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=False),
        sa.Column("due_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_timer_ticket"),
        sa.PrimaryKeyConstraint("ticket_id", "kind", "step"),
    )
    op.create_index("ix_timer_due", "timer", ["desk_id", "due_at"])


def _outbox() -> None:
    """Mail that goes out."""
    op.create_table(
        "outbox",
        sa.Column("id", Id, nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("message_row_id", sa.BigInteger(), nullable=True),
        sa.Column("inbound_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("envelope_from", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("attachments", sa.JSON(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("next_attempt_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("sent_at", Moment, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("lease_owner", sa.String(), nullable=False),
        sa.Column("lease_until", Moment, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_outbox_turn", "outbox", ["desk_id", "state", "turn", "id", "next_attempt_at"])
    op.create_index("ix_outbox_due", "outbox", ["desk_id", "state", "next_attempt_at"])
    op.create_index("ix_outbox_message_id", "outbox", ["desk_id", "message_id"])
    op.create_index("ix_outbox_recipient", "outbox", ["desk_id", "recipient", "created_at"])
    op.create_index("ix_outbox_ticket", "outbox", ["ticket_id", "id"])


def _restraint() -> None:
    """What is counted so that the desk falls silent in a loop."""
    op.create_table(
        "automatic_mail",
        sa.Column("id", Id, nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("mailbox", sa.BigInteger(), nullable=False),
        sa.Column("ticket", sa.BigInteger(), nullable=True),
        sa.Column("domain", sa.BigInteger(), nullable=True),
        sa.Column("alike_a", sa.BigInteger(), nullable=True),
        sa.Column("alike_b", sa.BigInteger(), nullable=True),
        sa.Column("domain_turn", sa.Boolean(), nullable=False),
        sa.Column("alike_turn", sa.Boolean(), nullable=False),
        sa.Column("sort", sa.String(), nullable=False),
        sa.Column("pace", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_automatic_at", "automatic_mail", ["desk_id", "at", "number"])
    op.create_index("ix_automatic_mailbox", "automatic_mail", ["desk_id", "mailbox", "at"])
    op.create_index("ix_automatic_ticket", "automatic_mail", ["desk_id", "ticket", "at"])
    op.create_index("ix_automatic_domain", "automatic_mail", ["desk_id", "domain", "at", "domain_turn"])
    op.create_index("ix_automatic_alike_a", "automatic_mail", ["desk_id", "alike_a", "at", "alike_turn", "alike_b"])
    op.create_index("ix_automatic_alike_b", "automatic_mail", ["desk_id", "alike_b", "at", "alike_turn"])
    op.create_index("ix_automatic_sort", "automatic_mail", ["desk_id", "sort", "at", "pace"])
    op.create_table(
        "withheld",
        sa.Column("id", Id, nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("cap", sa.String(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_withheld_cap", "withheld", ["desk_id", "cap", "at"])
    op.create_index("ix_withheld_ticket", "withheld", ["ticket_id", "cap"])
    op.create_index("ix_withheld_listed", "withheld", ["desk_id", "listed", "cap", "at"])


def _search() -> None:
    """The words of each ticket, and the notes of what is still to be read."""
    op.create_table(
        "ticket_words",
        sa.Column("ticket_id", Id, autoincrement=False, nullable=False),
        sa.Column("words", Words, nullable=False),
        sa.PrimaryKeyConstraint("ticket_id"),
    )
    op.create_table(
        "to_index",
        sa.Column("message_id", Id, autoincrement=False, nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("message_id"),
    )
    if op.get_context().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE ticket_search "
            "USING fts5(words, content='', columnsize=0, detail=none, tokenize='ascii')"
        )
        op.execute("CREATE VIRTUAL TABLE ticket_search_words USING fts5vocab(ticket_search, instance)")
        op.execute(
            "CREATE TRIGGER message_to_index AFTER INSERT ON message WHEN new.direction = 'in' "
            "BEGIN INSERT INTO to_index (message_id, ticket_id) VALUES (new.id, new.ticket_id); END"
        )
    else:
        op.create_index("ix_ticket_words", "ticket_words", ["words"], postgresql_using="gin")
        op.execute(
            "CREATE FUNCTION message_to_index() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN INSERT INTO to_index (message_id, ticket_id) VALUES (new.id, new.ticket_id); RETURN NULL; END $$"
        )
        op.execute(
            "CREATE TRIGGER message_to_index AFTER INSERT ON message FOR EACH ROW "
            "WHEN (new.direction = 'in') EXECUTE FUNCTION message_to_index()"
        )
