"""Polls and votes in the database."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, sessionmaker

from tables import Choice, Poll, Vote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from question import Question


class NoSuchPoll(Exception):
    """There is no such poll, or no such choice in it."""


class Ended(Exception):
    """The poll has ended."""


@dataclass(frozen=True)
class Count:
    """A choice of a poll, and how many have voted for it."""

    position: int
    text: str
    votes: int


@dataclass(frozen=True)
class State:
    """A poll as it stands."""

    id: int
    creator_id: str
    channel_id: str
    post_id: str
    question: str
    ended: bool
    counts: tuple[Count, ...]

    @property
    def votes(self) -> int:
        """How many have voted."""
        return sum(count.votes for count in self.counts)


class Store:
    """Reads and changes polls; safe to use from many threads, and on several servers of a cluster.

    Args:
        engine: The database, with the newest tables.
    """

    def __init__(self, engine: Engine) -> None:
        self._session = sessionmaker(engine)

    def create(
        self, creator_id: str, channel_id: str, question: Question, publish: Callable[[State], str]
    ) -> None:
        """Keep a new poll, unless it cannot be published.

        Args:
            creator_id: Who asks.
            channel_id: Where.
            question: What.
            publish: Makes the post that shows it, and returns the post's id.
        """
        with self._session.begin() as session:
            choices = [Choice(position=number, text=text) for number, text in enumerate(question.answers)]
            poll = Poll(
                creator_id=creator_id,
                channel_id=channel_id,
                post_id="",
                question=question.text,
                choices=choices,
            )
            session.add(poll)
            session.flush()
            poll.post_id = publish(_state(session, poll))

    def get(self, poll_id: int) -> State:
        """Return a poll.

        Raises:
            NoSuchPoll: There is none with that id.
        """
        with self._session() as session:
            return _state(session, _poll(session, poll_id))

    def vote(self, poll_id: int, position: int, user_id: str) -> None:
        """Count somebody's vote for the choice at a position, in place of an earlier one.

        Raises:
            NoSuchPoll: There is no such poll, or it has no such choice.
            Ended: Votes are not counted any more.
        """
        with self._session.begin() as session:
            # Many may vote at the same time, but nobody while the poll is being ended.
            poll = _poll(session, poll_id, lock="FOR SHARE")
            if poll.ended_at is not None:
                raise Ended
            chosen = {choice.position: choice.id for choice in poll.choices}.get(position)
            if chosen is None:
                raise NoSuchPoll
            vote = insert(Vote).values(poll_id=poll_id, user_id=user_id, choice_id=chosen)
            latest = {"choice_id": vote.excluded.choice_id, "voted_at": func.now()}
            session.execute(vote.on_conflict_do_update(index_elements=["poll_id", "user_id"], set_=latest))

    def end(self, poll_id: int) -> None:
        """End a poll.

        Raises:
            NoSuchPoll: There is none with that id.
            Ended: It has ended before.
        """
        with self._session.begin() as session:
            poll = _poll(session, poll_id, lock="FOR NO KEY UPDATE")
            if poll.ended_at is not None:
                raise Ended
            poll.ended_at = func.now()

    @contextmanager
    def showing(self, poll_id: int) -> Iterator[State]:
        """Return a poll to somebody who shows it, one after the other.

        Whoever comes last shows all votes: nobody can show an older state afterwards.
        """
        with self._session.begin() as session:
            yield _state(session, _poll(session, poll_id, lock="FOR NO KEY UPDATE"))


def _poll(session: Session, poll_id: int, lock: str = "") -> Poll:
    query = select(Poll).where(Poll.id == poll_id)
    if lock:
        query = query.with_for_update(read=lock == "FOR SHARE", key_share=lock == "FOR NO KEY UPDATE")
    poll = session.scalars(query).one_or_none()
    if poll is None:
        raise NoSuchPoll
    return poll


def _state(session: Session, poll: Poll) -> State:
    query = (
        select(Choice.position, Choice.text, func.count(Vote.user_id))
        .outerjoin(Vote, Vote.choice_id == Choice.id)
        .where(Choice.poll_id == poll.id)
        .group_by(Choice.id)
        .order_by(Choice.position)
    )
    return State(
        id=poll.id,
        creator_id=poll.creator_id,
        channel_id=poll.channel_id,
        post_id=poll.post_id,
        question=poll.question,
        ended=poll.ended_at is not None,
        counts=tuple(Count(*row) for row in session.execute(query)),
    )
