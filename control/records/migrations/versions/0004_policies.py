"""Every version of a policy that has been in force, by the digest of its document."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "policy_documents",
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_policy_documents")),
    )
    op.create_table(
        "policy_versions",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["digest"], ["policy_documents.digest"], name=op.f("fk_policy_versions_digest_policy_documents")
        ),
        sa.PrimaryKeyConstraint("name", "n", name=op.f("pk_policy_versions")),
    )
