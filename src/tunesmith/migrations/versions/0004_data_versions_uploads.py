"""data versions uploads"""

import sqlalchemy as sa
from alembic import op

import tunesmith.db.types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "column_mappings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("columns_sha256", sa.String(length=64), nullable=False),
        sa.Column("format", sa.String(length=40), nullable=False),
        sa.Column("mapping", tunesmith.db.types.JsonColumn, nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", tunesmith.db.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", tunesmith.db.types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_column_mappings_created_by_users")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_column_mappings_project_id_projects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_column_mappings")),
        sa.UniqueConstraint(
            "project_id", "columns_sha256", "format", name=op.f("uq_column_mappings_project_id_columns_sha256_format")
        ),
    )
    with op.batch_alter_table("column_mappings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_column_mappings_project_id"), ["project_id"], unique=False)

    op.create_table(
        "uploads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("received_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("file_path", sa.String(length=1024), nullable=True),
        sa.Column("expires_at", tunesmith.db.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", tunesmith.db.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", tunesmith.db.types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_uploads_created_by_users")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_uploads_project_id_projects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    with op.batch_alter_table("uploads", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_uploads_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_uploads_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_uploads_state"), ["state"], unique=False)

    for column in (
        sa.Column("packing", sa.String(length=20), server_default="none", nullable=False),
        sa.Column("plain_path", sa.String(length=1024), nullable=True),
        sa.Column("column_mapping", tunesmith.db.types.JsonColumn, nullable=True),
        sa.Column("row_map", sa.String(length=1024), nullable=True),
        sa.Column("purged_at", tunesmith.db.types.UtcDateTime(timezone=True), nullable=True),
    ):
        op.add_column("training_datasets", column)

    for name, table in (
        ("dataset_id", "training_datasets"),
        ("uploaded_dataset_id", "training_datasets"),
        ("dataset_job_id", "jobs"),
    ):
        key = sa.ForeignKey(f"{table}.id", name=f"fk_workbench_states_{name}_{table}")
        op.add_column("workbench_states", sa.Column(name, sa.Integer(), key, nullable=True), inline_references=True)

    op.add_column(
        "dataset_quality_logs",
        sa.Column("details", tunesmith.db.types.JsonColumn, server_default="{}", nullable=False),
    )


def downgrade() -> None:
    op.drop_column("dataset_quality_logs", "details")
    for name in ("dataset_job_id", "uploaded_dataset_id", "dataset_id"):
        op.drop_column("workbench_states", name)

    # Not as a batch: on SQLite that makes the table anew, and dropping the old one would take its quality logs with it.
    for name in ("purged_at", "row_map", "column_mapping", "plain_path", "packing"):
        op.drop_column("training_datasets", name)

    with op.batch_alter_table("uploads", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_uploads_state"))
        batch_op.drop_index(batch_op.f("ix_uploads_project_id"))
        batch_op.drop_index(batch_op.f("ix_uploads_expires_at"))

    op.drop_table("uploads")
    with op.batch_alter_table("column_mappings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_column_mappings_project_id"))

    op.drop_table("column_mappings")
