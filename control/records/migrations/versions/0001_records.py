"""The recording half: segments, canvases, evidence, lists, proposals, conversations."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "canvases",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("thread", sa.String(length=120), nullable=False),
        sa.Column("latest", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_canvases")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "evidence",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("thread", sa.String(length=120), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_evidence")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_evidence_thread"), "evidence", ["thread"], unique=False)
    op.create_table(
        "focus_steps",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("thread", sa.String(length=120), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("focus", sa.JSON(), nullable=False),
        sa.Column("undone", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_focus_steps")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_focus_steps_thread"), "focus_steps", ["thread"], unique=False)
    op.create_table(
        "lists",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_lists")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_lists_name"), "lists", ["name"], unique=False)
    op.create_table(
        "segments",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("thread", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("expression", sa.Text(), nullable=False),
        sa.Column("expression_digest", sa.String(length=80), nullable=False),
        sa.Column("tree", sa.JSON(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=True),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_segments")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_segments_name"), "segments", ["name"], unique=False)
    op.create_index(
        op.f("ix_segments_thread_segments_expression_digest"), "segments", ["thread", "expression_digest"], unique=True
    )
    op.create_table(
        "turn_events",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("thread", sa.String(length=120), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("event", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_turn_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_turn_events_thread_turn_events_n"), "turn_events", ["thread", "n"], unique=False)
    op.create_table(
        "turns",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("thread", sa.String(length=120), nullable=False),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("turn", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_turns")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_turns_account"), "turns", ["account"], unique=False)
    op.create_index(op.f("ix_turns_thread_turns_n"), "turns", ["thread", "n"], unique=False)
    op.create_table(
        "canvas_versions",
        sa.Column("canvas", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("origin", sa.JSON(), nullable=False),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["canvas"], ["canvases.n"], name=op.f("fk_canvas_versions_canvas_canvases")),
        sa.PrimaryKeyConstraint("canvas", "version", name=op.f("pk_canvas_versions")),
    )
    op.create_table(
        "proposals",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("thread", sa.String(length=120), nullable=False),
        sa.Column("canvas", sa.Integer(), nullable=False),
        sa.Column("canvas_version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("editors", sa.JSON(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["canvas", "canvas_version"],
            ["canvas_versions.canvas", "canvas_versions.version"],
            name=op.f("fk_proposals_canvas_canvas_version_canvas_versions"),
        ),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_proposals")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_proposals_status"), "proposals", ["status"], unique=False)
    op.create_index(op.f("ix_proposals_thread"), "proposals", ["thread"], unique=False)
    op.create_table(
        "proposal_moves",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("proposal", sa.Integer(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("before", sa.String(length=16), nullable=False),
        sa.Column("after", sa.String(length=16), nullable=False),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("anchored", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["proposal"], ["proposals.n"], name=op.f("fk_proposal_moves_proposal_proposals")),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_proposal_moves")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_proposal_moves_anchored"), "proposal_moves", ["anchored"], unique=False)
    op.create_index(op.f("ix_proposal_moves_proposal"), "proposal_moves", ["proposal"], unique=False)
