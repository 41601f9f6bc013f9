"""hub tokens"""

import sqlalchemy as sa
from alembic import op

import tunesmith.db.types

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hub_tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", tunesmith.db.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", tunesmith.db.types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_hub_tokens_created_by_users")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_hub_tokens_project_id_projects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_tokens")),
    )
    with op.batch_alter_table("hub_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hub_tokens_project_id"), ["project_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("hub_tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hub_tokens_project_id"))

    op.drop_table("hub_tokens")
