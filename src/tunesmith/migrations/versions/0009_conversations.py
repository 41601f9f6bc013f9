"""conversations"""

import sqlalchemy as sa
from alembic import op

import tunesmith.db.types

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chat_conversations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("model", sa.String(length=1000), nullable=True),
        sa.Column("adapter", sa.String(length=1000), nullable=True),
        sa.Column("system_prompt", sa.Text(), nullable=True),
        sa.Column("parameters", tunesmith.db.types.JsonColumn, nullable=False),
        sa.Column("overflow", sa.String(length=20), nullable=False),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("summary_turn_id", sa.Integer(), nullable=True),
        sa.Column("current_turn_id", sa.Integer(), nullable=True),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", tunesmith.db.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", tunesmith.db.types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_chat_conversations_created_by_users")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_chat_conversations_project_id_projects")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_conversations")),
    )
    with op.batch_alter_table("chat_conversations", schema=None) as batch_op:
        batch_op.create_index("ix_chat_conversations_created_by_id", ["created_by", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_chat_conversations_project_id"), ["project_id"], unique=False)

    op.create_table(
        "chat_turns",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("reasoning", sa.Text(), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("finish_reason", sa.String(length=20), nullable=True),
        sa.Column("model", sa.String(length=1000), nullable=True),
        sa.Column("parameters", tunesmith.db.types.JsonColumn, nullable=True),
        sa.Column("prompt_tokens", sa.Integer(), nullable=True),
        sa.Column("completion_tokens", sa.Integer(), nullable=True),
        sa.Column("context_length", sa.Integer(), nullable=True),
        sa.Column("dropped_turns", sa.Integer(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("error", tunesmith.db.types.JsonColumn, nullable=True),
        sa.Column("rating", sa.String(length=10), nullable=True),
        sa.Column("created_at", tunesmith.db.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", tunesmith.db.types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["chat_conversations.id"],
            name=op.f("fk_chat_turns_conversation_id_chat_conversations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["chat_turns.id"], name=op.f("fk_chat_turns_parent_id_chat_turns"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_turns")),
    )
    with op.batch_alter_table("chat_turns", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_chat_turns_conversation_id"), ["conversation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_chat_turns_parent_id"), ["parent_id"], unique=False)

    op.add_column("workbench_states", sa.Column("conversation_id", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("workbench_states", "conversation_id")
    op.drop_table("chat_turns")
    op.drop_table("chat_conversations")
