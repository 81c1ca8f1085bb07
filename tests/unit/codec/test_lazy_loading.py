"""A plugin pays only for what it uses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from mattermost_plugin._compiled import compiled_layouts


def run(code: str, *arguments: str, **environment: str) -> Any:
    """Run code in an interpreter of its own and return what it prints as JSON."""
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


LOADED = "import json, sys; print(json.dumps(sorted(sys.modules)))"


def loaded(code: str, **environment: str) -> set[str]:
    return set(run(f"{code}\n{LOADED}", **environment))


def test_importing_the_package_loads_neither_models_nor_codecs() -> None:
    modules = loaded("import mattermost_plugin, mattermost_plugin.models, mattermost_plugin.hooks")
    assert not any(name.startswith(("google", "dataclasses", "mattermost_plugin._codec")) for name in modules)
    assert not any(name.startswith("mattermost_plugin.models.") for name in modules)
    assert not any(name.startswith("mattermost_plugin._gen") for name in modules)


def test_the_tables_of_methods_load_no_codec() -> None:
    modules = loaded(
        "from mattermost_plugin._gen import api_methods, driver_methods, hook_methods\n"
        "from mattermost_plugin.api import API"
    )
    assert not any(name.startswith("mattermost_plugin._gen.layouts") for name in modules)
    assert {name for name in modules if name.startswith("mattermost_plugin._codec.")} == {
        "mattermost_plugin._codec.json_values",
        "mattermost_plugin._codec.methods",
        "mattermost_plugin._codec.problems",
    }
    assert "mattermost_plugin.api._sync" in modules
    assert "mattermost_plugin.api._async" not in modules


def test_a_model_loads_its_own_module_alone() -> None:
    modules = loaded("from mattermost_plugin.models import Post\nPost(message='x')")
    assert {name for name in modules if name.startswith("mattermost_plugin.models.")} == {
        "mattermost_plugin.models.post"
    }


PLAIN_POST = """
from mattermost_plugin.models import Context, Post
from mattermost_plugin._gen.hook_methods import HOOKS

codec = HOOKS["message_will_be_posted"].codec
codec.decode_request(codec.encode_request(Context(), Post(message="x", props={"from_bot": "true"})))
"""


TABLES = {"mattermost_plugin._gen.layouts", "mattermost_plugin._gen.layouts.context",
          "mattermost_plugin._gen.layouts.post"}  # fmt: skip


def test_reading_a_plain_post_loads_nothing_of_what_it_does_not_contain() -> None:
    modules = loaded(PLAIN_POST, MATTERMOST_PLUGIN_PURE="1")
    assert {name for name in modules if name.startswith("mattermost_plugin._gen.layouts")} == TABLES
    assert not {name for name in modules if name.startswith("mattermost_plugin.models.post_metadata")}
    assert not {"dataclasses", "inspect"} & modules
    # Functions for reading are compiled when they are worth it; who finds faults is loaded when there is one.
    assert not {"mattermost_plugin._codec.decoders", "mattermost_plugin._codec.faults"} & modules


@pytest.mark.skipif(compiled_layouts() is None, reason="the compiled core is not in use")
def test_reading_a_plain_post_by_the_compiled_core_loads_no_codec() -> None:
    modules = loaded(PLAIN_POST)
    assert {name for name in modules if name.startswith("mattermost_plugin._gen.layouts")} == TABLES
    assert not {"mattermost_plugin._codec.plans", "mattermost_plugin._codec.values"} & modules
    assert not {"dataclasses", "inspect"} & modules


def test_no_module_of_the_sdk_needs_protobuf() -> None:
    """Nothing but the tests has it: bundles are without."""
    code = """
import importlib, json, pkgutil, sys
sys.modules["google"] = None
import mattermost_plugin
for module in pkgutil.walk_packages(mattermost_plugin.__path__, "mattermost_plugin."):
    importlib.import_module(module.name)
print(json.dumps(sorted(name for name in sys.modules if name.startswith("google."))))
"""
    assert run(code) == []


def test_many_threads_may_use_a_codec_first_at_the_same_time() -> None:
    code = """
import json, threading
from mattermost_plugin._gen.api_methods import API
from mattermost_plugin.models import Post

start, failures = threading.Barrier(16), []

def use(number):
    start.wait()
    try:
        for name in ("create_post", "get_post", "update_post", "get_config", "get_user", "get_team"):
            codec = API[name].codec
            codec.decode_response(codec.encode_response(codec.decode_response(b"\\n\\x00")))
    except BaseException as error:
        failures.append(repr(error))

threads = [threading.Thread(target=use, args=(number,)) for number in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps(failures))
"""
    for _ in range(3):
        assert run(code) == []
