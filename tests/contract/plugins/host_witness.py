"""The witness of go/host/internal/witness in Python: what it sees, says and notes has to be the same."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from mattermost_plugin import AppError, CommandResponse, Plugin, Reject

if TYPE_CHECKING:
    from mattermost_plugin import (
        Channel,
        CommandArgs,
        Config,
        Context,
        FileInfo,
        PluginClusterEvent,
        Post,
        Reaction,
    )

BUNDLE = Path(__file__).resolve().parent.parent


def asked(misbehaviour: str) -> bool:
    return (BUNDLE / misbehaviour).exists()


def note(name: str, line: str) -> None:
    with (BUNDLE / name).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    path = scope["path"].removeprefix(scope["root_path"])
    note("notes", f"ServeHTTP {scope['method']} {path}")
    user = dict(scope["headers"]).get(b"mattermost-user-id", b"")
    await send({"type": "http.response.start", "status": 202, "headers": [(b"x-witness", user)]})
    query = scope["query_string"].decode()
    text = f"{scope['method']} {path} {query} {body.decode()}"
    await send({"type": "http.response.body", "body": text.encode()})


class Witness(Plugin):
    http = application

    def on_configuration_change(self) -> None:
        note("notes", f"OnConfigurationChange {self.api.load_plugin_configuration()['Word']}")

    def on_activate(self) -> None:
        note("notes", f"OnActivate {self.api.get_server_version()}")
        if asked("activate-fails"):
            raise RuntimeError("no licence")

    def on_deactivate(self) -> None:
        note("notes", "OnDeactivate")
        if asked("deactivate-hangs"):
            time.sleep(1000)
        if asked("deactivate-fails"):
            raise RuntimeError("not now")

    def message_will_be_posted(self, context: Context, post: Post) -> Post | Reject | None:
        note("notes", f"MessageWillBePosted {context.request_id} {post.message} {post.props['n']}")
        verb, _, what = post.message.partition(" ")
        match verb:
            case "refuse":
                return Reject(f"refused {what}")
            case "keep":
                return None
            case "user":
                try:
                    post.message = self.api.get_user(what).username
                except AppError as error:
                    post.message = f"{error.id} {error.status_code}"
            case "store":
                self.api.kv_set(what, f"value of {what}".encode())
                post.message = (self.api.kv_get(what) or b"").decode()
            case "die":
                os._exit(7)
            case _:
                post.message += ", seen"
                post.props["witness"] = "yes"
        return post

    def message_has_been_posted(self, context: Context, post: Post) -> None:
        note("notes", f"MessageHasBeenPosted {post.message}")

    def execute_command(self, context: Context, args: CommandArgs) -> CommandResponse:
        note("notes", f"ExecuteCommand {args.command}")
        if args.command == "/fail":
            raise AppError(
                id="witness.fail", detailed_error="details", status_code=418, where="ExecuteCommand"
            )
        return CommandResponse(text=f"{args.command} by {args.user_id}", response_type="ephemeral")

    def channel_will_be_archived(self, context: Context, channel: Channel) -> Reject | None:
        note("notes", f"ChannelWillBeArchived {channel.name}")
        return Reject("it is needed") if channel.name == "town-square" else None

    def configuration_will_be_saved(self, new_cfg: Config) -> Config | Reject:
        name = new_cfg.team_settings.site_name or ""
        note("notes", f"ConfigurationWillBeSaved {name}")
        if name == "bad":
            return Reject("a bad name")
        new_cfg.team_settings.site_name = f"{name}!"
        return new_cfg

    def reaction_has_been_added(self, context: Context, reaction: Reaction) -> None:
        note("notes", f"ReactionHasBeenAdded {reaction.emoji_name}")

    def on_plugin_cluster_event(self, context: Context, event: PluginClusterEvent) -> None:
        note("notes", f"OnPluginClusterEvent {event.id} {event.data.decode()}")

    def file_will_be_uploaded(
        self, context: Context, info: FileInfo, file: BinaryIO, output: BinaryIO
    ) -> FileInfo | Reject | None:
        data = file.read()
        note("notes", f"FileWillBeUploaded {info.name} {len(data)}")
        output.write(data.upper())
        info.name = f"capitals-{info.name}"
        return info


if __name__ == "__main__":
    note("pids", str(os.getpid()))
    if asked("start-fails"):
        sys.stderr.write("cannot start today\n")
        sys.exit(3)
    if asked("no-handshake"):
        os.write(1, b"1|9|unix|/nowhere|grpc\n")  # sys.stdout is captured as soon as there is a plugin
        time.sleep(1000)
    Witness.run()
