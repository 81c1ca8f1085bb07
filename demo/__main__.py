"""`python -m demo`: start a real Mattermost server with the example plugin, talk, and keep it running."""

from __future__ import annotations

import argparse
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from demo.conversation import play
from demo.stage import Stage
from mattermost_plugin.cli import BuildError as BundleError
from mattermost_plugin.cli import build_bundle
from tests.harness import BuildError, InstalledPlugin, ServerStartError, TestBench

if TYPE_CHECKING:
    from tests.harness import MattermostServer, RestClient

MODERATOR = Path(__file__).resolve().parent.parent / "examples" / "moderator"
USUAL_PORT = 8065


def main() -> int:
    """Run the demonstration and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the conversation")
    parser.add_argument(
        "--port", type=int, help=f"where to listen (default: {USUAL_PORT}, or any free port if that is taken)"
    )
    arguments = parser.parse_args()
    # Whoever ends the demonstration politely gets the same clean end as with Ctrl-C.
    signal.signal(signal.SIGTERM, _interrupt)
    # A shell that starts this in the background has told it to ignore Ctrl-C.
    signal.signal(signal.SIGINT, _interrupt)
    try:
        with TestBench() as bench:
            _run(bench, _choose_port(arguments.port), once=arguments.once)
    except KeyboardInterrupt:
        print("\nStopped.")
    except (BuildError, BundleError, ServerStartError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run(bench: TestBench, port: int, *, once: bool) -> None:
    print(f"Building the bundle of {MODERATOR.name}", flush=True)
    bundle = build_bundle(MODERATOR, output=bench.directory)
    print("Starting Mattermost", flush=True)
    server = bench.start_server(port=port)
    team = server.create_team("demo", "Demo")
    ann = server.create_user("ann", team=team)
    ben = server.create_user("ben", team=team)
    channel = server.create_channel(team, "films", ann, ben, display_name="Films")
    plugin = InstalledPlugin(server, bundle)
    plugin.enable()
    plugin.wait_for_log("Configured")
    version = server.admin.get("config/client", format="old")["Version"]
    print(f"Mattermost {version} runs the plugin {plugin.manifest['name']} {plugin.manifest['version']}\n")

    stage = Stage(server, plugin, channel)
    stage.line("In the channel ~films:\n")
    play(stage, server, ann, ben)
    stage.line("\nIn the server's log, from the plugin:\n")
    stage.show_log()
    if once:
        return
    _say_how_to_log_in(server, ann, ben)
    server.wait()
    raise ServerStartError(f"the server has ended by itself; the end of its log:\n{server.log.tail()}")


def _say_how_to_log_in(server: MattermostServer, *people: RestClient) -> None:
    print(f"\nThe server listens on {server.url}. Log in as")
    for person in (server.admin, *people):
        print(f"    {person.username:6} password {person.password}")
    print(
        "It is the server alone, without the web app; the REST API is there:\n"
        f"    curl -i {server.url}/api/v4/users/login \\\n"
        f'         -d \'{{"login_id": "ben", "password": "{server.admin.password}"}}\'\n'
        f"Its log: {server.directory / 'server.log'}\n"
        "Ctrl-C stops it and removes everything it wrote.",
        flush=True,
    )


def _choose_port(asked: int | None) -> int:
    if asked is not None:
        return asked
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", USUAL_PORT))
        except OSError:
            return 0
    return USUAL_PORT


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
