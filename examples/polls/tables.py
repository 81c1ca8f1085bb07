"""The plugin's tables. They lie beside Mattermost's own, so all of their names begin with `polls_`.

A change here needs a migration in `migrations/versions`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, ForeignKeyConstraint, Identity, MetaData, UniqueConstraint, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

VERSION_TABLE = "polls_version"


class Base(DeclarativeBase):
    """What the tables have in common: names of constraints that migrations can rely on."""

    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
        }
    )
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012 - as SQLAlchemy documents it


class Poll(Base):
    """A question; its post shows it. Nobody can vote any more once it has ended."""

    __tablename__ = "polls_poll"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    creator_id: Mapped[str]
    channel_id: Mapped[str]
    post_id: Mapped[str]
    question: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]

    choices: Mapped[list[Choice]] = relationship(order_by="Choice.position")


class Choice(Base):
    """An answer that people can vote for."""

    __tablename__ = "polls_choice"
    __table_args__ = (UniqueConstraint("poll_id", "id"), UniqueConstraint("poll_id", "position"))

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    poll_id: Mapped[int] = mapped_column(ForeignKey(Poll.id, ondelete="CASCADE"))
    position: Mapped[int]
    text: Mapped[str]


class Vote(Base):
    """What somebody voted for: one choice of a poll."""

    __tablename__ = "polls_vote"
    __table_args__ = (
        # That the choice is one of this poll.
        ForeignKeyConstraint(
            ["poll_id", "choice_id"], ["polls_choice.poll_id", "polls_choice.id"], ondelete="CASCADE"
        ),
    )

    poll_id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    choice_id: Mapped[int]
    voted_at: Mapped[datetime] = mapped_column(server_default=func.now())
