"""Asks a channel a question, with a button for each answer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

import board
import question
import schema
from mattermost_plugin import (
    AutocompleteArg,
    AutocompleteData,
    AutocompleteTextArg,
    Bot,
    Command,
    CommandArgs,
    CommandResponse,
    Context,
    NotFound,
    Permission,
    Plugin,
    Post,
    sql,
)
from mattermost_plugin.http import Request, Response, Router
from store import Ended, NoSuchPoll, State, Store

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger("polls")

READ_CHANNEL = Permission(id="read_channel")
MANAGE_SYSTEM = Permission(id="manage_system")

_BROKEN = "Something went wrong; please try again. The server's log says more."


class Polls(Plugin):
    """`/poll`, and the buttons of what it posts."""

    http = Router()

    def on_activate(self) -> None:
        """Make the tables or bring them up to date, then offer the command."""
        self.engine = sql.create_engine(self)
        schema.upgrade(self.engine)
        self.store: Store | None = Store(self.engine)
        self.bot_id = self.api.ensure_bot_user(
            Bot(username="polls", display_name="Polls", description="Counts votes.")
        )
        self.api.register_command(poll_command())

    def on_deactivate(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def execute_command(self, context: Context, args: CommandArgs) -> CommandResponse:
        """Answer `/poll`; only the person who typed it sees what is wrong with it."""
        return CommandResponse(response_type="ephemeral", text=self.told(lambda store: self.ask(store, args)))

    @http.post("/polls/{poll}/votes/{position}")
    def vote(self, request: Request) -> dict[str, str] | Response:
        """Count a vote: somebody has pressed the button of an answer."""

        def count(store: Store, poll: State) -> str:
            store.vote(poll.id, number(request.path_params["position"]), request.user_id)
            self.show(store, poll.id)
            return ""

        return self.pressed(request, count)

    @http.post("/polls/{poll}/end")
    def end(self, request: Request) -> dict[str, str] | Response:
        """End a poll: somebody has pressed the button for that."""

        def end(store: Store, poll: State) -> str:
            if poll.creator_id != request.user_id:
                return "Only who has started a poll can end it."
            store.end(poll.id)
            self.show(store, poll.id)
            return ""

        return self.pressed(request, end)

    def pressed(self, request: Request, act: Callable[[Store, State], str]) -> dict[str, str] | Response:
        """Do what a button is for, and answer as the server expects it of one.

        Anybody can ask for these addresses, so nothing but the session says who it is, and whether they may
        see the poll is looked up.
        """
        if not request.user_id:
            return Response("Log in first.", status=401)

        def checked(store: Store) -> str:
            poll = store.get(number(request.path_params["poll"]))
            if not self.api.has_permission_to_channel(request.user_id, poll.channel_id, READ_CHANNEL):
                raise NoSuchPoll
            return act(store, poll)

        text = self.told(checked)
        return {"ephemeral_text": text} if text else {}

    def told(self, act: Callable[[Store], str]) -> str:
        """Do something, and return what to tell the person who wanted it; empty: nothing."""
        if self.store is None:
            return "There are no polls at the moment: this version of the plugin is about to be replaced."
        try:
            return act(self.store)
        except NoSuchPoll:
            return "There is no such poll."
        except Ended:
            return "This poll has ended."
        except SQLAlchemyError:
            log.exception("The database failed")
            return _BROKEN

    def ask(self, store: Store, args: CommandArgs) -> str:
        """Start the poll of a command."""
        match args.command.split():
            case [_, "downgrade", revision]:
                return self.downgrade(args.user_id, revision)
        try:
            asked = question.parse(args.command)
        except question.Unclear as error:
            return str(error)

        def publish(poll: State) -> str:
            post = Post(user_id=self.bot_id, channel_id=args.channel_id, root_id=args.root_id)
            created = self.api.create_post(self.shown(post, poll))
            log.info("Created poll", extra={"poll_id": poll.id, "post_id": created.id})
            return created.id

        store.create(args.user_id, args.channel_id, asked, publish)
        return ""

    def show(self, store: Store, poll_id: int) -> None:
        """Have a poll's post show the votes as they stand."""
        with store.showing(poll_id) as poll:
            try:
                post = self.api.get_post(poll.post_id)
            except NotFound:
                return  # deleted; the votes are kept
            self.api.update_post(self.shown(post, poll))

    def shown(self, post: Post, poll: State) -> Post:
        """Return a post that shows a poll."""
        creator = self.api.get_user(poll.creator_id).username
        post.props = {**post.props, "attachments": [board.attachment(poll, self.plugin_id, creator)]}
        return post

    def downgrade(self, user_id: str, revision: str) -> str:
        """Take the tables back, for an administrator who is going to install an earlier version."""
        if not self.api.has_permission_to(user_id, MANAGE_SYSTEM):
            return "Only system administrators can do that."
        self.store = None
        try:
            schema.downgrade(self.engine, revision)
        except schema.SchemaError as error:
            self.store = Store(self.engine)
            return f"The tables stay as they are: {error}"
        return f"The tables are at revision {revision}. Install the version of the plugin that they are for."


def number(text: str) -> int:
    """Return the id that stands in an address.

    Raises:
        NoSuchPoll: It is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NoSuchPoll
    return int(text)


def poll_command() -> Command:
    """Describe `/poll`: what the message box suggests while someone types it."""

    def text(hint: str, help_text: str) -> AutocompleteArg:
        data = AutocompleteTextArg(hint=hint, pattern="")
        return AutocompleteArg(help_text=help_text, type="TextInput", required=True, data=data)

    return Command(
        trigger="poll",
        auto_complete=True,
        auto_complete_desc="Ask the channel a question",
        auto_complete_hint='"Question" "Answer" "Answer"',
        autocomplete_data=AutocompleteData(
            trigger="poll",
            hint='"Question" "Answer" "Answer"',
            help_text="Ask the channel a question",
            role_id="system_user",
            arguments=[
                text('"Question"', "What you want to know"),
                text('"Answer"', "The first answer that people can choose"),
                text('"Answer"', "The second; more may follow"),
            ],
        ),
    )


if __name__ == "__main__":
    Polls.run()
