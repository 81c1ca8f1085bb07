"""The measured plugin, with the blocking API on threads."""

import threading
import time

from mattermost_plugin import CommandArgs, CommandResponse, Context, Plugin, Post

MESSAGE = "A message of ordinary length, created by a plugin."


class SyncPlugin(Plugin):
    def message_will_be_posted(self, ctx: Context, post: Post) -> Post:
        post.message += " (checked)"
        return post

    def execute_command(self, ctx: Context, args: CommandArgs) -> CommandResponse:
        """Create posts: "/create_posts <callers> <calls>"; the answer is the time it took in nanoseconds."""
        callers, calls = (int(word) for word in args.command.split()[1:])

        def create() -> None:
            for _ in range(calls // callers):
                self.api.create_post(Post(user_id=args.user_id, channel_id=args.channel_id, message=MESSAGE))

        start = time.perf_counter_ns()
        if callers == 1:
            create()
        else:
            threads = [threading.Thread(target=create) for _ in range(callers)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        return CommandResponse(text=str(time.perf_counter_ns() - start))


if __name__ == "__main__":
    SyncPlugin.run()
