"""What people say of changes of the codebook: that a question still means the same.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "meaning",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _ref("project_id", "project"),
        _ref("question_id", "question"),
        _ref("earlier_id", "codebook_revision"),
        _ref("later_id", "codebook_revision"),
        sa.Column("unchanged", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_meaning"),
    )
    op.create_index("ix_meaning_project_id", "meaning", ["project_id"])


def downgrade() -> None:
    op.drop_table("meaning")


def _ref(column: str, to: str) -> sa.Column[int]:
    """A foreign key whose row goes when what it belongs to goes."""
    key = sa.ForeignKey(f"{to}.id", name=f"fk_meaning_{column}_{to}", ondelete="CASCADE")
    return sa.Column(column, BIG, key, nullable=False)
