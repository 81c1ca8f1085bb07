"""The command line."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mattermost_plugin._version import __version__
from mattermost_plugin.cli._bridge_source import PLATFORMS
from mattermost_plugin.cli._build import build_bundle
from mattermost_plugin.cli._problems import BuildError, file_system_problem
from mattermost_plugin.cli._scaffold import write_scaffold

__all__ = ["main"]

# What a shell makes of the end by a signal.
_INTERRUPTED = 128 + signal.SIGINT
_TERMINATED = 128 + signal.SIGTERM
_NOBODY_READS = 128 + 13  # SIGPIPE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (None: those of the process) and return its exit status.

    The status is 0; 1 for anything that a person has to mend, which is told in a line each on standard error;
    2 for wrong arguments; 130, 141 and 143 for Ctrl-C, a standard output that nobody reads, and SIGTERM.
    """
    options = _parser().parse_args(arguments)
    try:
        with _termination_cleans_up():
            _run(options)
    except BuildError as error:
        for problem in error.problems:
            sys.stderr.write(f"error: {problem}\n")
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes standard output once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _NOBODY_READS
    except OSError as error:
        sys.stderr.write(f"error: {file_system_problem(error)}\n")
        return 1
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
    else:
        for path in write_scaffold(options.directory, options.id):
            _say(f"wrote {path}")
        _say(f"Next: mattermost-plugin build {options.directory}")


@contextmanager
def _termination_cleans_up() -> Iterator[None]:
    """Have SIGTERM unwind the stack, so that no temporary file stays."""

    def end(_number: int, _frame: object) -> None:
        raise SystemExit(_TERMINATED)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


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
