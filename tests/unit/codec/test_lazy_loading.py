"""A plugin pays only for what it uses, and shares nothing with other users of protobuf in the process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from codegen import emit_proto
from codegen.protoc import compile_protos
from mattermost_plugin._compiled import compiled_layouts
from tests.codegen.repository import schema


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


def test_importing_the_package_loads_neither_protobuf_nor_models_nor_codecs() -> None:
    modules = loaded("import mattermost_plugin, mattermost_plugin.models, mattermost_plugin.hooks")
    assert not any(name.startswith(("google", "dataclasses", "mattermost_plugin._codec")) for name in modules)
    assert not any(name.startswith("mattermost_plugin.models.") for name in modules)
    assert not any(name.startswith("mattermost_plugin._gen") for name in modules)


def test_the_tables_of_methods_load_no_codec() -> None:
    modules = loaded(
        "from mattermost_plugin._gen import api_methods, driver_methods, hook_methods\n"
        "from mattermost_plugin.api import API"
    )
    assert not any(name.startswith("google") for name in modules)
    assert not any(
        name.startswith(("mattermost_plugin._gen.codecs", "mattermost_plugin._gen.methods"))
        for name in modules
    )
    assert "mattermost_plugin.api._sync" in modules
    assert "mattermost_plugin.api._async" not in modules


def test_a_model_loads_its_own_module_alone() -> None:
    modules = loaded("from mattermost_plugin.models import Post\nPost(message='x')")
    assert {name for name in modules if name.startswith("mattermost_plugin.models.")} == {
        "mattermost_plugin.models.post"
    }
    assert not any(name.startswith("google") for name in modules)


PLAIN_POST = """
from mattermost_plugin.models import Context, Post
from mattermost_plugin._gen.hook_methods import HOOKS

codec = HOOKS["message_will_be_posted"].codec
codec.decode_request(codec.encode_request(Context(), Post(message="x", props={"from_bot": "true"})))
"""


def test_reading_a_plain_post_loads_no_codec_of_what_it_does_not_contain() -> None:
    modules = loaded(PLAIN_POST, MATTERMOST_PLUGIN_PURE="1")
    assert {name for name in modules if name.startswith("mattermost_plugin._gen.codecs.")} == {
        "mattermost_plugin._gen.codecs.context",
        "mattermost_plugin._gen.codecs.post",
    }
    assert not {"dataclasses", "inspect"} & modules
    # What protobuf has of its own in Python, it would take 50 ms to import.
    assert "google.protobuf.internal.python_message" not in modules


@pytest.mark.skipif(compiled_layouts() is None, reason="the compiled core is not in use")
def test_reading_a_plain_post_by_the_compiled_core_loads_no_protobuf_and_no_codec() -> None:
    modules = loaded(PLAIN_POST)
    assert not any(name.startswith("google") for name in modules)
    assert not any(
        name.startswith(("mattermost_plugin._gen.codecs", "mattermost_plugin._gen.methods"))
        for name in modules
    )
    assert {name for name in modules if name.startswith("mattermost_plugin._gen.layouts.")} == {
        "mattermost_plugin._gen.layouts.context",
        "mattermost_plugin._gen.layouts.post",
    }
    assert not {"dataclasses", "inspect"} & modules


USE = """
import json, sys
from mattermost_plugin.models import Context, MessageAttachment, Post, PostMetadata, Reaction, User
from mattermost_plugin._gen.hook_methods import HOOKS
from mattermost_plugin._gen.api_methods import API

post = Post(message="x", props={"a": [MessageAttachment(title="t")]}, participants=[User(username="u")],
            metadata=PostMetadata(reactions=[Reaction(emoji_name="e")]))
codec = HOOKS["message_will_be_posted"].codec
assert codec.decode_request(codec.encode_request(Context(), post)) == (Context(), post)
codec = API["get_config"].codec
assert codec.decode_response(codec.encode_response(codec.decode_response(b"\\n\\x00"))) is not None
try:
    HOOKS["message_will_be_posted"].codec.encode_response(Post(create_at=2**63))
except ValueError as error:
    assert "Post.create_at" in str(error), error
from google.protobuf.internal import api_implementation
"""


@pytest.mark.parametrize("implementation", ["upb", "python"])
def test_either_implementation_of_protobuf_serves(implementation: str) -> None:
    found = run(
        USE + "print(json.dumps(api_implementation.Type()))",
        PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=implementation,
    )
    assert found == implementation


def test_another_user_of_the_same_protos_in_the_process_does_no_harm(tmp_path: Any) -> None:
    protos = {path.removeprefix("schema/proto/"): text for path, text in emit_proto.emit(schema()).items()}
    for path, text in compile_protos(protos, ["--python_out={out}"]).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    theirs = "import mattermost.plugin.v1.post_pb2 as theirs; theirs.Post(message='x')"
    assert run(f"{theirs}\n{USE}\nprint(json.dumps(True))", PYTHONPATH=str(tmp_path))
    assert run(f"{USE}\n{theirs}\nprint(json.dumps(True))", PYTHONPATH=str(tmp_path))


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
