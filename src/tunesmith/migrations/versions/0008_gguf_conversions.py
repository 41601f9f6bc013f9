"""gguf conversions"""

import sqlalchemy as sa
from alembic import op

import tunesmith.db.types

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gguf_conversions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("methods", tunesmith.db.types.JsonColumn, nullable=False),
        sa.Column("uses_importance", sa.Boolean(), nullable=False),
        sa.Column("source_bytes", sa.BigInteger(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", tunesmith.db.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", tunesmith.db.types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_gguf_conversions_created_by_users")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_gguf_conversions_job_id_jobs")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_gguf_conversions_project_id_projects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gguf_conversions")),
    )
    with op.batch_alter_table("gguf_conversions", schema=None) as batch_op:
        batch_op.create_index("ix_gguf_conversions_created_by_id", ["created_by", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_gguf_conversions_project_id"), ["project_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("gguf_conversions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_gguf_conversions_project_id"))
        batch_op.drop_index("ix_gguf_conversions_created_by_id")

    op.drop_table("gguf_conversions")
