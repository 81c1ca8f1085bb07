"""A plugin on threads that tells what it was asked, so that nothing can be mixed up unseen."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mattermost_plugin import Command, CommandArgs, CommandResponse, Context, Plugin, Post

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

log = logging.getLogger("torture")
RECORD = Path(os.environ["MATTERMOST_PLUGIN_BUNDLE"]).parents[1] / "torture-threads.record"


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with what was asked, who asked, and which process this is; or with the digest of the body."""
    name, _, rest = environ["PATH_INFO"].strip("/").partition("/")
    if name == "digest":
        text = hashlib.sha256(environ["wsgi.input"].read()).hexdigest()
    elif name == "allocate":
        text = str(len(bytearray(int(rest) << 20)))
    else:
        text = f"{rest} {environ.get('HTTP_MATTERMOST_USER_ID', '')} {os.getpid()}"
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode()]


class Torture(Plugin):
    """Answers what it was asked with the number it was asked with."""

    http = application

    def on_activate(self) -> None:
        self._record = os.open(RECORD, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.api.register_command(Command(trigger="torture-threads", auto_complete=True))

    def message_will_be_posted(self, context: Context, post: Post) -> Post | None:
        if post.type:
            return None  # the server's own
        user, number, _ = post.message.split(maxsplit=2)
        key = f"{user} {number}"
        self.api.kv_set(key, number.encode())
        stored = self.api.kv_get(key)
        self.api.kv_delete(key)
        post.props = {**post.props, "torture-threads": f"{user} {(stored or b'').decode()}"}
        return post

    def message_has_been_posted(self, context: Context, post: Post) -> None:
        if post.type:
            return
        user, number, _ = post.message.split(maxsplit=2)
        os.write(self._record, f"{user} {number}\n".encode())

    def execute_command(self, context: Context, args: CommandArgs) -> CommandResponse:
        _, name, number = args.command.split()
        if name == "block":
            time.sleep(float(number))
        elif name == "flood":
            for line in range(int(number)):
                log.info("A line of a flood", extra={"line": line})
        return CommandResponse(response_type="ephemeral", text=f"{name} {number}")


if __name__ == "__main__":
    Torture.run()
