"""Code that configures `logging` anew, or replaces what output goes through, silences no failing hook."""

from __future__ import annotations

import textwrap

import grpc
import pytest

from mattermost_plugin import CommandArgs, Context, Post
from tests.unit.runtime.host import active

PLUGIN = """
import io, logging, os, sys, threading
from mattermost_plugin import CommandResponse, Plugin
author = logging.getLogger("author.part")

def configure():
CONFIGURE

if WHEN == "import": configure()

class Configuring(Plugin):
    def on_activate(self):
        if WHEN == "activation": configure()
    def execute_command(self, ctx, args):
        if WHEN == "hook": configure()
        author.error("said by the author", extra={"user": "u1"})
        return CommandResponse()
    def message_has_been_posted(self, ctx, post):
        raise LookupError("failed in the hook")
if __name__ == "__main__": Configuring.run()
"""

FILE = """
import tempfile
from logging.config import fileConfig
with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
    file.write('''
[loggers]
keys = root, sql
[handlers]
keys = out
[formatters]
keys = plain
[logger_root]
level = WARNING
handlers = out
[logger_sql]
qualname = sqlalchemy.engine
level = WARNING
handlers =
[handler_out]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(levelname)s in %(name)s: %(message)s
''')
    file.flush()
    fileConfig(file.name)
"""
DICT = """
import logging.config
logging.config.dictConfig({
    "version": 1,
    "handlers": {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"}},
    "root": {"handlers": ["out"], "level": "ERROR"},
})
"""
DICT_OF_A_LIBRARY = """
import logging.config
logging.config.dictConfig({"version": 1, "loggers": {"library": {"level": "INFO"}}})
"""
TO_A_FILE = "logging.basicConfig(filename=os.devnull, force=True)"
FORCED = "logging.basicConfig(force=True, level='ERROR', format='>> %(message)s')"

# The author's records still reach the host after these.
CONFIGURED = [FILE, DICT, DICT_OF_A_LIBRARY, TO_A_FILE, FORCED]

# What else keeps records from where they went, which the author may want for records of their own.
SILENCING = [
    "logging.disable(logging.CRITICAL)",
    "logging.getLogger().handlers.clear()",
    "logging.getLogger().setLevel(logging.CRITICAL + 1)",
    "for name in list(logging.getLogger().manager.loggerDict): logging.getLogger(name).disabled = True",
    "logging.shutdown()",
    "logging.setLogRecordFactory(None)",
    "sys.stderr = sys.stdout = io.StringIO()",
    "os.dup2(os.open(os.devnull, os.O_WRONLY), 2)",
    "os.close(2)",
    "sys.excepthook = threading.excepthook = sys.unraisablehook = lambda *_: None",
]


def plugin(way: str, when: str) -> str:
    code = PLUGIN.replace("CONFIGURE", textwrap.indent(way, "    ").replace("    \n", "\n"))
    return code.replace("WHEN", repr(when))


def shown(way: str) -> str:
    return way.strip().splitlines()[-1][:40]


@pytest.mark.parametrize("when", ["import", "activation", "hook"])
@pytest.mark.parametrize("way", CONFIGURED, ids=["file", "dict", "library", "to-a-file", "forced"])
def test_records_of_the_runtime_and_of_the_author_arrive_as_before(way, when):
    with active(plugin(way, when)) as host:
        host.hook("execute_command", Context(), CommandArgs())
        with pytest.raises(grpc.RpcError):
            host.hook("message_has_been_posted", Context(), Post())
        failed = host.wait_for_log("failed in the hook")
        assert (failed["@level"], failed["hook"]) == ("error", "message_has_been_posted")
        assert "LookupError: failed in the hook" in failed["traceback"]
        said = [line for line in host.log if "said by the author" in line["@message"]]
        assert [(line["@level"], line["@module"], line["user"]) for line in said] == [
            ("error", "author.part", "u1")
        ]


@pytest.mark.parametrize("way", SILENCING, ids=shown)
def test_what_the_author_silences_is_not_the_runtime(way):
    with active(plugin(way, "activation")) as host:
        with pytest.raises(grpc.RpcError):
            host.hook("message_has_been_posted", Context(), Post())
        failed = host.wait_for_log("failed in the hook")
        assert (failed["@level"], failed["hook"]) == ("error", "message_has_been_posted")
        assert "LookupError" in failed["traceback"]


def test_levels_and_handlers_are_as_the_author_configures_them(tmp_path):
    file = tmp_path / "author.log"
    way = f"logging.basicConfig(filename={str(file)!r}, force=True, level='ERROR')\nauthor.warning('too low')"
    with active(plugin(way, "activation")) as host:
        host.hook("execute_command", Context(), CommandArgs())
        host.wait_for_log("said by the author")
        assert "said by the author" in file.read_text()
        assert not [text for text in host.messages() if "too low" in text]


def test_a_stream_handler_keeps_level_name_and_fields_of_its_records():
    way = """
    root = logging.getLogger()
    root.handlers = [logging.StreamHandler()]
    root.handlers[0].setFormatter(logging.Formatter("<%(message)s>"))
    """
    with active(plugin(textwrap.dedent(way), "activation")) as host:
        host.hook("execute_command", Context(), CommandArgs())
        line = host.wait_for_log("said by the author")
        assert line["@message"] == "<said by the author>"
        assert (line["@level"], line["@module"], line["user"]) == ("error", "author.part", "u1")
