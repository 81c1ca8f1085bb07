"""`file_will_be_uploaded` in every kind of plugin and hook, called by grpcio."""

from __future__ import annotations

import hashlib
import os
import threading
import time

import grpc
import pytest

from mattermost_plugin import FileInfo, Reject
from mattermost_plugin._codec.parts import chunk_of
from tests.unit.runtime.file_host import Endless, FileHost, collect

# (class, hook): a `def` hook has blocking files, an `async def` one asynchronous ones, in either class.
KINDS = [("Plugin", "def"), ("Plugin", "async def"), ("AsyncPlugin", "def"), ("AsyncPlugin", "async def")]

PIECES = [os.urandom(size) for size in (1, 100_000, 256 * 1024, 300_000, 7)]
CONTENT = b"".join(PIECES)


def plugin(kind, body):
    """Return the code of a plugin whose hook has `body`, written for blocking files."""
    base, keyword = kind
    if keyword == "async def":
        for name in ("file.read(", "output.write(", "output.flush("):
            body = body.replace(name, f"await {name}")
        body = body.replace("for piece in file", "async for piece in file").replace(
            "file.close()", "await file.aclose()"
        )
        body = body.replace("output.close()", "await output.aclose()").replace(
            "time.sleep", "await asyncio.sleep"
        )
    lines = "\n".join(f"        {line}" for line in body.strip().splitlines())
    return (
        "import asyncio, hashlib, logging, os, time\nfrom mattermost_plugin import *\n"
        f"class Tested({base}):\n"
        f"    {keyword} file_will_be_uploaded(self, ctx, info, file, output):\n{lines}\n"
        "if __name__ == '__main__':\n    Tested.run()\n"
    )


@pytest.fixture(params=KINDS, ids=" ".join)
def kind(request):
    return request.param


def active(kind, body):
    host = FileHost(plugin(kind, body))
    host.activate()
    return host


def test_a_file_is_read_to_its_end_and_replaced_by_what_is_written(kind):
    body = """
first = file.read(5)
rest = file.read()
assert file.read() == b"" and file.read(1) == b""
output.write(rest)
output.write(first)
info.name = hashlib.sha256(first + rest).hexdigest()
return info
"""
    with active(kind, body) as host:
        info, written = host.upload(PIECES)
        assert info.name == hashlib.sha256(CONTENT).hexdigest()
        assert written == CONTENT[5:] + CONTENT[:5]
        assert host.upload([])[1] == b""


def test_a_file_can_be_passed_on_piece_by_piece(kind):
    copy = "while piece := file.read(70_000):\n    output.write(piece)"
    with active(kind, copy) as host:
        assert host.upload(PIECES) == (None, CONTENT)


def test_iteration_reaches_the_end(kind):
    body = """
size = 0
for piece in file:
    size += len(piece)
info.size = size
return info
"""
    with active(kind, body) as host:
        assert host.upload(PIECES)[0].size == len(CONTENT)


def test_a_file_that_is_not_read_is_accepted_and_its_sender_released(kind):
    with active(kind, "return None") as host:
        pieces = Endless()
        assert host.upload(pieces) == (None, b"")
        assert pieces.taken < 200


def test_a_rejection_drops_what_was_not_sent(kind):
    with active(kind, "file.read(1)\noutput.write(b'half')\nreturn Reject('no such files')") as host:
        assert host.upload(PIECES) == (Reject("no such files"), b"")


def test_small_writes_travel_together(kind):
    with active(kind, "for _ in range(300):\n    output.write(b'x' * 1000)") as host:
        sizes = [len(piece) for message in host.begin_upload([]) if (piece := chunk_of(message)) is not None]
        assert (len(sizes), sum(sizes)) == (2, 300_000)


def test_an_exception_fails_the_call_and_is_logged_once(kind):
    with active(kind, "output.write(bytes(300_000))\nraise KeyError('broken')") as host:
        with pytest.raises(grpc.RpcError) as caught:
            host.upload(PIECES)
        assert caught.value.code() is grpc.StatusCode.INTERNAL
        assert "broken" not in caught.value.details()
        record = host.wait_for_log("file_will_be_uploaded raised KeyError")
        assert "Traceback" in record["traceback"]
        assert len(host.log) == 1


def test_a_wrong_result_fails_the_call_with_the_signature_in_the_log(kind):
    with active(kind, "return 'fine'") as host:
        with pytest.raises(grpc.RpcError) as caught:
            host.upload(PIECES)
        assert caught.value.code() is grpc.StatusCode.INTERNAL
        assert "file: BinaryIO, output: BinaryIO" in host.wait_for_log("wrong result")["traceback"]


def test_a_server_that_gives_up_while_the_plugin_reads_ends_the_hook(kind):
    with active(kind, "logging.info('reading')\nfile.read()\nlogging.info('never')") as host:
        gate = threading.Event()

        def pieces():
            yield b"x"
            gate.wait(60)

        call = host.begin_upload(pieces())
        host.wait_for_log("reading")
        call.cancel()
        host.wait_for_log("file_will_be_uploaded ended early")
        gate.set()
        assert "never" not in host.messages()


def test_a_server_that_gives_up_while_the_plugin_writes_ends_the_hook(kind):
    body = "logging.info('writing')\nwhile True:\n    output.write(bytes(256 * 1024))"
    with active(kind, body) as host:
        call = host.begin_upload([])
        host.wait_for_log("writing")
        time.sleep(0.2)  # it has filled the window
        call.cancel()
        host.wait_for_log("file_will_be_uploaded ended early")


def test_a_writer_waits_for_a_server_that_takes_nothing(kind):
    body = """
for i in range(200):
    output.write(bytes(256 * 1024))
    logging.info("written %d", i)
"""
    with active(kind, body) as host:
        call = host.begin_upload([])
        host.wait_for_log("written 0")
        time.sleep(0.5)
        before = len(host.log)
        assert before < 100, "50 MB were taken from the plugin although nobody reads them"
        assert len(collect(call)[1]) == 200 * 256 * 1024


def test_files_are_closed_when_the_hook_is_over(kind):
    use = "file.read(1)" if kind[1] == "def" else "await file.read(1)"
    body = f"""
kept = getattr(self, "kept", None)
self.kept = file
if kept is not None:
    file = kept
    try:
        {use.replace("await ", "")}
    except ValueError as error:
        logging.info("refused: %s", error)
"""
    with active(kind, body) as host:
        host.upload(PIECES)
        host.upload(PIECES)
        host.wait_for_log(
            "refused: read of closed file" if kind[1] == "def" else "refused: read of a closed file"
        )


def test_several_files_at_once_do_not_mix(kind):
    copy = "while piece := file.read(10_000):\n    output.write(piece)\nreturn info"
    with active(kind, copy) as host:
        contents = [os.urandom(2_000_000) for _ in range(6)]
        calls = [
            host.begin_upload(
                [content[at : at + 65_536] for at in range(0, len(content), 65_536)], FileInfo(name=str(i))
            )
            for i, content in enumerate(contents)
        ]
        for i, call in enumerate(calls):
            info, written = collect(call)
            assert (info.name, written) == (str(i), contents[i])


def test_closing_the_files_early_does_no_harm(kind):
    with active(kind, "output.write(b'new')\noutput.close()\nfile.close()") as host:
        assert host.upload(PIECES) == (None, b"new")
