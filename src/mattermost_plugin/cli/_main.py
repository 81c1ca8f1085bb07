"""The command line."""

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from mattermost_plugin._version import __version__
from mattermost_plugin.cli._bridge_source import PLATFORMS
from mattermost_plugin.cli._build import build_bundle
from mattermost_plugin.cli._console import OutputClosedError, write_line
from mattermost_plugin.cli._interrupts import Interrupted, interruptible
from mattermost_plugin.cli._problems import BuildError, Problem
from mattermost_plugin.cli._scaffold import write_scaffold

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (None: those of the process) and return its exit status.

    Returns:
        0: done; 1: failed; 128 and the number of the signal that ended it, such as 130 for Ctrl-C.
    """
    options = _parser().parse_args(arguments)
    try:
        with interruptible():
            _run(options)
    except BuildError as error:
        return _fail(1, *map(str, error.problems))
    except OutputClosedError:
        return 128 + signal.SIGPIPE
    except Interrupted as error:
        return _fail(128 + error.signal, f"interrupted ({error.signal.name})")
    return 0


def _run(options: argparse.Namespace) -> None:
    if options.command == "build":
        build_bundle(
            options.directory,
            platforms=PLATFORMS if options.all_platforms else options.platform,
            output=options.output,
            python=options.python,
            report=_say,
        )
        return
    for path in write_scaffold(options.directory, options.id):
        _say(f"wrote {path}")
    _say(f"Next: mattermost-plugin build {options.directory}")


def _say(line: str) -> None:
    try:
        write_line(sys.stdout, line)
    except OSError as error:
        raise BuildError(Problem(file="standard output", what=error.strerror or str(error))) from error


def _fail(status: int, *lines: str) -> int:
    # Where nobody reads the errors either, the status is all that is left to tell.
    with suppress(OSError, OutputClosedError):
        for line in lines:
            write_line(sys.stderr, f"error: {line}")
    return status


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
