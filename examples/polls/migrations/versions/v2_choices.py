"""Answers in a table of their own, which votes refer to, and the time at which a poll ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "v2"
down_revision = "v1"


def upgrade() -> None:
    """Move the answers, and what was voted for."""
    op.create_table(
        "polls_choice",
        sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("poll_id", sa.Integer, sa.ForeignKey("polls_poll.id", ondelete="CASCADE"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.UniqueConstraint("poll_id", "id"),
        sa.UniqueConstraint("poll_id", "position"),
    )
    op.execute("""
        INSERT INTO polls_choice (poll_id, position, text)
        SELECT poll.id, answer.position - 1, answer.text
        FROM polls_poll poll, unnest(poll.answers) WITH ORDINALITY AS answer (text, position)
        ORDER BY poll.id, answer.position
    """)

    op.add_column("polls_vote", sa.Column("choice_id", sa.Integer))
    op.execute("""
        UPDATE polls_vote vote SET choice_id = choice.id
        FROM polls_choice choice WHERE choice.poll_id = vote.poll_id AND choice.text = vote.answer
    """)
    op.alter_column("polls_vote", "choice_id", nullable=False)
    op.drop_constraint("polls_vote_poll_id_fkey", "polls_vote")
    op.create_foreign_key(
        "polls_vote_poll_id_fkey",
        "polls_vote",
        "polls_choice",
        ["poll_id", "choice_id"],
        ["poll_id", "id"],
        ondelete="CASCADE",
    )
    op.drop_column("polls_vote", "answer")

    op.add_column("polls_poll", sa.Column("ended_at", sa.DateTime(timezone=True)))
    # When that was, nobody wrote down: not before the last vote.
    op.execute("""
        UPDATE polls_poll SET ended_at = greatest(
            created_at, (SELECT max(voted_at) FROM polls_vote WHERE poll_id = polls_poll.id)
        ) WHERE ended
    """)
    op.drop_column("polls_poll", "ended")
    op.drop_column("polls_poll", "answers")


def downgrade() -> None:
    """Put everything back, for the version 1 of the plugin; only the times at which polls ended are lost."""
    op.add_column("polls_poll", sa.Column("ended", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("polls_poll", sa.Column("answers", ARRAY(sa.String)))
    op.execute("""
        UPDATE polls_poll SET ended = ended_at IS NOT NULL, answers = array(
            SELECT text FROM polls_choice WHERE poll_id = polls_poll.id ORDER BY position
        )
    """)
    op.alter_column("polls_poll", "answers", nullable=False)
    op.drop_column("polls_poll", "ended_at")

    op.add_column("polls_vote", sa.Column("answer", sa.String))
    op.execute("UPDATE polls_vote SET answer = text FROM polls_choice WHERE polls_choice.id = choice_id")
    op.alter_column("polls_vote", "answer", nullable=False)
    op.drop_constraint("polls_vote_poll_id_fkey", "polls_vote")
    op.create_foreign_key(
        "polls_vote_poll_id_fkey", "polls_vote", "polls_poll", ["poll_id"], ["id"], ondelete="CASCADE"
    )
    op.drop_column("polls_vote", "choice_id")
    op.drop_table("polls_choice")
