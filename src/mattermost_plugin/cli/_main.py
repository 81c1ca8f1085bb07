"""The command line."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mattermost_plugin._version import __version__
from mattermost_plugin.cli._bridge_source import PLATFORMS
from mattermost_plugin.cli._build import build_bundle
from mattermost_plugin.cli._problems import BuildError
from mattermost_plugin.cli._scaffold import write_scaffold

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (None: those of the process) and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "build":
            build_bundle(
                options.directory,
                platforms=PLATFORMS if options.all_platforms else options.platform,
                output=options.output,
                python=options.python,
                report=_say,
            )
        else:
            for path in write_scaffold(options.directory, options.id):
                _say(f"wrote {path}")
            _say(f"Next: mattermost-plugin build {options.directory}")
    except BuildError as error:
        for problem in error.problems:
            sys.stderr.write(f"error: {problem}\n")
        return 1
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mattermost-plugin", description="Mattermost server plugins in Python."
    )
    parser.add_argument("--version", action="version", version=f"mattermost-plugin {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    build = commands.add_parser(
        "build",
        help="make a bundle that a Mattermost server installs",
        description="Build the plugin in DIR into OUTPUT/<id>-<version>.tar.gz, with all it requires.",
    )
    build.add_argument("directory", type=Path, metavar="DIR", help="the folder of plugin.json")
    targets = build.add_mutually_exclusive_group()
    targets.add_argument(
        "--platform",
        nargs="+",
        action="extend",
        default=[],
        choices=PLATFORMS,
        metavar="PLATFORM",
        help=f"what the server runs on (default: this machine); of {', '.join(PLATFORMS)}",
    )
    targets.add_argument("--all-platforms", action="store_true", help="build for all of them")
    build.add_argument(
        "--output", type=Path, metavar="DIR", help="where to (default: dist in the plugin's folder)"
    )
    build.add_argument(
        "--python", metavar="3.X", help="the server's Python; matters only for compiled requirements"
    )
    new = commands.add_parser(
        "new", help="start a plugin", description="Write a plugin that says hello into the new folder DIR."
    )
    new.add_argument("directory", type=Path, metavar="DIR", help="the folder to make")
    new.add_argument("--id", help="the plugin's id (default: com.example.<name of DIR>)")
    return parser
