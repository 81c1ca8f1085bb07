"""Version 1 of the example `polls`: it knows nothing of the tables that version 2 makes."""

from __future__ import annotations

import shlex
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mattermost_plugin import (
    Command,
    CommandArgs,
    CommandResponse,
    Context,
    MessageAttachment,
    Plugin,
    Post,
    PostAction,
    PostActionIntegration,
    sql,
)
from mattermost_plugin.http import Request, Router
from tables import Poll, Vote


class Polls(Plugin):
    """`/poll "Question" "Answer" ...`, and buttons."""

    http = Router()

    def on_activate(self) -> None:
        """Make the tables."""
        self.engine = sql.create_engine(self)
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        self.api.register_command(Command(trigger="poll"))

    def execute_command(self, context: Context, args: CommandArgs) -> CommandResponse:
        """Start a poll."""
        question, *answers = shlex.split(args.command)[1:]
        with Session(self.engine) as session, session.begin():
            poll = Poll(
                creator_id=args.user_id,
                channel_id=args.channel_id,
                post_id="",
                question=question,
                answers=answers,
                ended=False,
            )
            session.add(poll)
            session.flush()
            post = self.shown(session, poll, Post(user_id=args.user_id, channel_id=args.channel_id))
            poll.post_id = self.api.create_post(post).id
        return CommandResponse()

    @http.post("/polls/{poll}/votes/{position}")
    def vote(self, request: Request) -> dict[str, str]:
        """Count a vote."""
        with Session(self.engine) as session, session.begin():
            poll = session.get_one(Poll, int(request.path_params["poll"]))
            answer = poll.answers[int(request.path_params["position"])]
            session.merge(Vote(poll_id=poll.id, user_id=request.user_id, answer=answer))
            session.flush()
            self.api.update_post(self.shown(session, poll, self.api.get_post(poll.post_id)))
        return {}

    @http.post("/polls/{poll}/end")
    def end(self, request: Request) -> dict[str, str]:
        """End a poll."""
        with Session(self.engine) as session, session.begin():
            session.get_one(Poll, int(request.path_params["poll"])).ended = True
        return {}

    def shown(self, session: Session, poll: Poll, post: Post) -> Post:
        """Return a post that shows a poll."""
        query = select(Vote.answer, func.count()).where(Vote.poll_id == poll.id).group_by(Vote.answer)
        votes = dict(session.execute(query).all())
        addresses = [(answer, f"votes/{position}") for position, answer in enumerate(poll.answers)]
        buttons = [
            PostAction(
                id=path.replace("/", ""),
                type="button",
                name=name,
                integration=PostActionIntegration(url=f"/plugins/{self.plugin_id}/polls/{poll.id}/{path}"),
            )
            for name, path in (*addresses, ("End the poll", "end"))
        ]
        lines = [f"{answer}: {votes.get(answer, 0)} votes" for answer in poll.answers]
        attachment = MessageAttachment(title=poll.question, text="\n".join(lines), actions=buttons)
        post.props = {**post.props, "attachments": [attachment]}
        return post


if __name__ == "__main__":
    Polls.run()
