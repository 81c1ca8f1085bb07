"""What a plugin costs before it does anything."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

from mattermost_plugin import Context, Post
from tests.unit.runtime.host import Host
from tests.unit.runtime.kinds import plugin_code

HELLO = """
import logging
from mattermost_plugin import Context, Plugin, Post

class Hello(Plugin):
    def on_activate(self) -> None:
        logging.info("hello")
    def message_will_be_posted(self, context: Context, post: Post) -> Post | None:
        post.message += " :wave:"
        return post

if __name__ == "__main__":
    Hello.run()
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> dict[str, str]:
    """The environment of a process that finds compiled modules from its second start on, as usual."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("pycache"))}


def modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return set(done.stdout.split())


def test_a_blocking_plugin_imports_nothing_of_asyncio_nor_of_what_it_does_not_use():
    loaded = modules_after(
        "import mattermost_plugin\n"
        "from mattermost_plugin import Context, Plugin, Post, Reject\n"
        "import mattermost_plugin._runtime.serve_threads\n"
    )
    unwanted = {"asyncio", "inspect", "difflib", "ssl", "typing_extensions", "google.protobuf.descriptor_pb2"}
    unwanted |= {"mattermost_plugin._grpc.aio", "mattermost_plugin._runtime.faces_async", "cryptography"}
    unwanted |= {"mattermost_plugin.models.config", "concurrent.futures"}
    assert loaded & unwanted == set()


def test_importing_the_package_loads_no_model_and_no_runtime():
    loaded = {
        name for name in modules_after("import mattermost_plugin") if name.startswith("mattermost_plugin")
    }
    assert not any("_runtime" in name or "_grpc" in name or "_codec" in name for name in loaded), loaded


def test_a_hello_plugin_stays_below_45_mib(environment):
    with Host(HELLO, environment={**environment, "PYTHONDONTWRITEBYTECODE": ""}) as host:
        host.activate()
        assert host.hook("message_will_be_posted", Context(), Post(message="hi")).message == "hi :wave:"
        assert psutil.Process(host.process.pid).memory_info().rss < 45 << 20
        assert host.shutdown() == 0


def test_an_idle_plugin_uses_no_time():
    with Host(plugin_code("sync", "def on_activate(self): ...")) as host:
        host.activate()
        process = psutil.Process(host.process.pid)

        def used() -> float:
            before = process.cpu_times()
            time.sleep(1.5)
            after = process.cpu_times()
            return after.user + after.system - before.user - before.system

        # What the activation left to be done may take a while where others want the processor.
        assert any(used() < 0.05 for _ in range(10))
