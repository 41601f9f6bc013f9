"""Figures of objectives at a step of a run: accuracy, margin, reward."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tunesmith.db.types import JsonColumn

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    with op.batch_alter_table("training_points") as table:
        table.add_column(sa.Column("figures", JsonColumn, nullable=True))


def downgrade() -> None:
    """Take it away again."""
    with op.batch_alter_table("training_points") as table:
        table.drop_column("figures")
