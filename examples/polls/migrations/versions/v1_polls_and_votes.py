"""Polls, with their answers in an array, and votes, with the text of an answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "v1"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "polls_poll",
        sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("creator_id", sa.String, nullable=False),
        sa.Column("channel_id", sa.String, nullable=False),
        sa.Column("post_id", sa.String, nullable=False),
        sa.Column("question", sa.String, nullable=False),
        sa.Column("answers", ARRAY(sa.String), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("ended", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "polls_vote",
        sa.Column(
            "poll_id", sa.Integer, sa.ForeignKey("polls_poll.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("user_id", sa.String, primary_key=True),
        sa.Column("answer", sa.String, nullable=False),
        sa.Column("voted_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )


def downgrade() -> None:
    """Leave nothing."""
    op.drop_table("polls_vote")
    op.drop_table("polls_poll")
