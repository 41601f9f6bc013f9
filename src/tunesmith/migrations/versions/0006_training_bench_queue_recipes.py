"""training bench queue recipes"""

import sqlalchemy as sa
from alembic import op

import tunesmith.db.types

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

HELD = sa.text("state IN ('running', 'stopping')")


def upgrade() -> None:
    op.create_table(
        "recipes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("recipe", tunesmith.db.types.JsonColumn, nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", tunesmith.db.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", tunesmith.db.types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_recipes_created_by_users")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_recipes_project_id_projects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipes")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_recipes_project_id_name")),
    )
    with op.batch_alter_table("recipes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recipes_project_id"), ["project_id"], unique=False)
    op.create_table(
        "resource_samples",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("host", sa.String(length=200), nullable=False),
        sa.Column("at", tunesmith.db.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("usage", tunesmith.db.types.JsonColumn, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resource_samples")),
    )
    op.create_index("ix_resource_samples_host_at", "resource_samples", ["host", "at"], unique=False)
    op.add_column("jobs", sa.Column("device", sa.String(length=255), nullable=True))
    op.create_index("ux_jobs_device_held", "jobs", ["device"], unique=True, sqlite_where=HELD, postgresql_where=HELD)
    op.add_column(
        "finetuning_jobs", sa.Column("archived_at", tunesmith.db.types.UtcDateTime(timezone=True), nullable=True)
    )
    for name, default in (("is_kept", sa.false()), ("verified", sa.true())):
        op.add_column("training_checkpoints", sa.Column(name, sa.Boolean(), server_default=default, nullable=False))
    op.add_column("workbench_states", sa.Column("training", tunesmith.db.types.JsonColumn, nullable=True))
    key = sa.ForeignKey("jobs.id", name="fk_workbench_states_training_job_id_jobs")
    op.add_column(
        "workbench_states", sa.Column("training_job_id", sa.Integer(), key, nullable=True), inline_references=True
    )


def downgrade() -> None:
    for name in ("training_job_id", "training"):
        op.drop_column("workbench_states", name)
    for name in ("verified", "is_kept"):
        op.drop_column("training_checkpoints", name)
    op.drop_column("finetuning_jobs", "archived_at")
    op.drop_index("ux_jobs_device_held", table_name="jobs")
    op.drop_column("jobs", "device")
    op.drop_index("ix_resource_samples_host_at", table_name="resource_samples")
    op.drop_table("resource_samples")
    op.drop_table("recipes")
