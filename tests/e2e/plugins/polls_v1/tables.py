"""The tables of revision v1. The migrations are those of the example, up to that revision: see the test."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Identity, String, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

VERSION_TABLE = "polls_version"


class Base(DeclarativeBase):
    """What the tables have in common."""


class Poll(Base):
    """A question and its answers."""

    __tablename__ = "polls_poll"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    creator_id: Mapped[str]
    channel_id: Mapped[str]
    post_id: Mapped[str]
    question: Mapped[str]
    answers: Mapped[list[str]] = mapped_column(ARRAY(String))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    ended: Mapped[bool]


class Vote(Base):
    """What somebody voted for."""

    __tablename__ = "polls_vote"

    poll_id: Mapped[int] = mapped_column(ForeignKey(Poll.id), primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    answer: Mapped[str]
