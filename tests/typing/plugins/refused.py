"""What strict mypy must refuse; each comment is the code of the error expected there."""

from __future__ import annotations

from mattermost_plugin import AsyncPlugin, Context, FileInfo, Plugin, Post, Pots, Reject, User  # attr-defined

MISSPELT = Pots


class Wrong(Plugin):
    def message_will_be_posted(self, context: Context, post: Post) -> str:  # override
        return post.message

    def message_has_been_posted(self, context: Context, post: Post) -> Reject | None:  # override
        return None

    def file_will_be_uploaded(
        self,
        context: Context,
        info: FileInfo,
        file: str,  # override
        output: object,
    ) -> None:
        return None

    def user_has_been_created(self, context: Context, user: str) -> None:  # override
        return None

    def on_activate(self) -> None:
        user: Post = self.api.get_user("u")  # assignment
        self.api.get_user(3)  # arg-type
        self.api.no_such_method()  # attr-defined
        Post(mesage="x")  # call-arg
        Reject(3)  # arg-type
        user.message = 3  # assignment


class AsyncWrong(AsyncPlugin):
    async def message_will_be_posted(self, context: Context, post: Post) -> User | None:  # override
        return None

    async def on_activate(self) -> None:
        user: User = self.api.get_user("u")  # assignment
        self.user = user
