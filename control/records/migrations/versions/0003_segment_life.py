"""The life of segments: kept counts, archiving, lists with versions and match reports, self-service tags."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("segments", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("lists", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("lists", sa.Column("kind", sa.String(length=20), nullable=False, server_default="customer_id"))
    op.add_column("lists", sa.Column("report", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("lists", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))
    # Uploads from before versions were counted: number them per name, in their order.
    op.execute(
        "UPDATE lists SET version = (SELECT count(*) FROM lists AS l WHERE l.name = lists.name AND l.n <= lists.n)"
    )
    op.create_table(
        "segment_counts",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("segment", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(length=400), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("definition", sa.String(length=80), nullable=False),
        sa.Column("tree", sa.JSON(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("conditions", sa.JSON(), nullable=False),
        sa.Column("members_kept", sa.Boolean(), nullable=False),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["segment"], ["segments.n"], name=op.f("fk_segment_counts_segment_segments")),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_segment_counts")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_segment_counts_segment_segment_counts_scope_segment_counts_as_of"),
        "segment_counts",
        ["segment", "scope", "as_of"],
        unique=False,
    )
    op.create_table(
        "tags",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("zh", sa.String(length=80), nullable=False),
        sa.Column("en", sa.String(length=80), nullable=False),
        sa.Column("expression", sa.Text(), nullable=False),
        sa.Column("tree", sa.JSON(), nullable=False),
        sa.Column("definition", sa.String(length=80), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("every", sa.String(length=10), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_tags")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_tags_name"), "tags", ["name"], unique=False)
    op.create_table(
        "tag_runs",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("tag", sa.Integer(), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("entered", sa.Integer(), nullable=True),
        sa.Column("lost", sa.Integer(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tag"], ["tags.n"], name=op.f("fk_tag_runs_tag_tags")),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_tag_runs")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_tag_runs_tag_tag_runs_n"), "tag_runs", ["tag", "n"], unique=False)
