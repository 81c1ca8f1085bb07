"""A plugin process from its start to its end, as a host sees it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import grpc
import pytest

from mattermost_plugin import Context, Post, ServerError
from mattermost_plugin._gen.hook_methods import HOOKS
from mattermost_plugin._runtime.wire import NOT_SERVING, SERVICE_UNKNOWN, SERVING
from tests.unit.runtime.host import API_BROKER_ID, Host, active, clean_environment
from tests.unit.runtime.kinds import KINDS, plugin_code

HEALTH = "/grpc.health.v1.Health/"

LIFE = """
def on_configuration_change(self): logging.info("configured")
def on_activate(self): logging.info("activated")
def on_deactivate(self): logging.info("deactivated")
"""


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


# ---- start


def test_the_handshake_is_go_plugins_line_for_grpc_on_a_unix_socket(kind):
    with Host(plugin_code(kind, LIFE)) as host:
        core, version, network, path, protocol, certificate = host.handshake.rstrip("\n").split("|")
        assert (core, version, network, protocol, certificate) == ("1", "1", "unix", "grpc", "")
        assert Path(path).parent == host.directory
        mode = Path(path).stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
        assert host.process.stdout.read(1) == b"", "nothing but the handshake belongs on stdout"


def test_without_a_directory_of_the_hosts_the_socket_is_in_one_of_its_own(kind):
    with Host(plugin_code(kind, LIFE), environment={"PLUGIN_UNIX_SOCKET_DIR": ""}) as host:
        directory = Path(host.address).parent
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert list(directory.iterdir()) == [Path(host.address)]
        host.connect()
        assert host.shutdown() == 0
        assert not directory.exists()


def test_outside_of_a_host_one_line_says_what_this_is_and_how_to_run_it(kind, tmp_path):
    entrypoint = tmp_path / "mine.py"
    entrypoint.write_text(plugin_code(kind, LIFE))
    done = subprocess.run(
        [sys.executable, str(entrypoint)],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "mine.py is a Mattermost plugin" in line
    assert "mattermost-plugin build" in line


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "from mattermost_plugin import Plugin\nimport missing_module_x",
            "No module named 'missing_module_x'",
        ),
        (
            "from mattermost_plugin import Plugin\nclass P(Plugin):\n    def on_activated(self): ...",
            "did you mean on_activate",
        ),
        (
            "from mattermost_plugin import Plugin\nclass P(Plugin):\n    def __init__(self): self.x\nP.run()",
            "has no attribute 'x'",
        ),
    ],
)
def test_what_fails_before_the_handshake_is_one_record_and_exit_code_1(code, said):
    with Host(code) as host:
        assert host.handshake == ""
        assert host.wait() == 1
        (line,) = host.log
        assert line["@level"] == "error"
        assert line["@message"].startswith("Uncaught exception: ")
        assert said in line["@message"]
        assert "Traceback (most recent call last):" in line["traceback"]


def test_a_socket_path_that_is_too_long_is_named(kind, tmp_path):
    directory = tmp_path / ("d" * 90)
    directory.mkdir()
    with Host(plugin_code(kind, LIFE), environment={"PLUGIN_UNIX_SOCKET_DIR": str(directory)}) as host:
        assert host.wait() == 1
        assert str(directory) in host.log[0]["@message"]


def test_what_the_module_prints_at_import_is_logged_and_not_taken_for_the_handshake(kind):
    with Host(plugin_code(kind, LIFE, before="Plugin\nprint('early')")) as host:
        assert host.handshake.startswith("1|1|unix|")
        assert host.wait_for_log("early")["@module"] == "stdout"


def test_a_host_of_another_protocol_version_is_named(kind):
    with Host(plugin_code(kind, LIFE), environment={"PLUGIN_PROTOCOL_VERSIONS": "2,3"}) as host:
        line = host.wait_for_log("version 2 or 3, this plugin in version 1")
        assert line["@level"] == "error"
        assert host.handshake.startswith("1|1|")


def test_a_program_that_the_plugin_starts_is_no_plugin_of_the_host(kind):
    code = plugin_code(
        kind,
        """
        def on_activate(self):
            done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True)
            logging.info(f"child: {done.stdout.strip()}")
        """,
        before="""
        import subprocess
        CHILD = "import mattermost_plugin.plugin, sys; print(type(sys.stdout).__name__)"
        """,
    )
    with active(code) as host:
        host.wait_for_log("child: TextIOWrapper")


def test_a_crash_of_the_interpreter_leaves_a_traceback(kind):
    code = plugin_code(kind, "def message_has_been_posted(self, ctx, post): os.abort()")
    with active(code) as host:
        with pytest.raises(grpc.RpcError):
            host.hook("message_has_been_posted", Context(), Post())
        assert host.wait() == -signal.SIGABRT
        assert "Fatal Python error: Aborted\n" in host.stderr
        assert any("in message_has_been_posted" in line for line in host.stderr)


# ---- services


def test_health_is_that_of_the_plugin_and_of_the_server(kind):
    with Host(plugin_code(kind, LIFE)).connect() as host:
        assert host.raw(HEALTH + "Check", b"\x0a\x06plugin") == SERVING
        assert host.raw(HEALTH + "Check") == SERVING
        with pytest.raises(grpc.RpcError) as caught:
            host.raw(HEALTH + "Check", b"\x0a\x05other")
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_health_can_be_watched_to_the_end(kind):
    with active(plugin_code(kind, "def on_deactivate(self): time.sleep(2)")) as host:
        watch = host.channel.unary_stream(HEALTH + "Watch")
        unknown = watch(b"\x0a\x05other", timeout=60)
        assert next(unknown) == SERVICE_UNKNOWN
        unknown.cancel()
        states = watch(b"\x0a\x06plugin", timeout=60)
        assert next(states) == SERVING
        host.raw("/plugin.GRPCController/Shutdown")
        assert next(states) == NOT_SERVING


def test_the_stdio_stream_is_empty(kind):
    with Host(plugin_code(kind, LIFE)).connect() as host:
        assert list(host.channel.unary_stream("/plugin.GRPCStdio/StreamStdio")(b"", timeout=60)) == []


def test_a_hook_that_is_not_overridden_is_unimplemented(kind):
    with active(plugin_code(kind, LIFE)) as host:
        with pytest.raises(grpc.RpcError) as caught:
            host.hook("message_will_be_posted", Context(), Post())
        assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


# ---- activation


def test_the_configuration_comes_once_and_before_the_activation(kind):
    with active(plugin_code(kind, LIFE)) as host:
        host.wait_for_log("activated")
        assert host.messages() == ["configured", "activated"]
        host.hook("on_configuration_change")
        assert host.shutdown() == 0
        assert host.messages() == ["configured", "activated", "configured", "deactivated"]


def test_the_api_is_there_when_the_configuration_comes(kind):
    code = plugin_code(
        kind,
        """
        def on_configuration_change(self):
            settings = self.load_configuration(Settings)
            logging.info(f"{settings.warn_after} {settings.words}")
        """,
        before="""
        from dataclasses import dataclass
        @dataclass
        class Settings:
            warn_after: int = 1
            words: str = "none"
        """,
    )
    if kind != "sync":
        code = code.replace("self.load_configuration", "await self.load_configuration")
    with active(code, api={"load_plugin_configuration": lambda: {"warnafter": 4}}) as host:
        host.wait_for_log("4 none")


def test_a_failing_configuration_does_not_stop_the_activation(kind):
    code = plugin_code(
        kind,
        """
        def on_configuration_change(self): raise ValueError("bad setting")
        def on_activate(self): logging.info("activated")
        """,
    )
    with active(code) as host:
        host.wait_for_log("activated")
        line = host.wait_for_log("on_configuration_change")
        assert line["@level"] == "error"
        assert "ValueError: bad setting" in line["traceback"]


def test_a_failing_activation_is_the_hosts_error_and_needs_no_deactivation(kind):
    code = plugin_code(
        kind,
        """
        def on_activate(self): raise RuntimeError("no database")
        def on_deactivate(self): logging.info("deactivated")
        """,
    )
    with Host(code) as host:
        with pytest.raises(ServerError, match=r"^no database$"):
            host.activate()
        line = host.wait_for_log("on_activate")
        assert "RuntimeError: no database" in line["traceback"]
        assert host.shutdown() == 0
        assert "deactivated" not in host.messages()


def test_an_announcement_may_come_after_the_activation_began(kind):
    with Host(plugin_code(kind, "def on_activate(self): self.api.get_server_version()")) as host:
        host._api["get_server_version"] = lambda: "11.4.0"
        host.connect()
        results = []
        method = HOOKS["on_activate"]
        request = method.codec.encode_request(API_BROKER_ID, 0, "11.4.0")
        thread = threading.Thread(target=lambda: results.append(host.raw(method.path, request)))
        thread.start()
        time.sleep(0.5)
        assert results == []
        host.serve_api()
        thread.join()
        assert method.codec.decode_response(results[0]) is None


def test_a_host_without_api_can_activate_too(kind):
    with Host(plugin_code(kind, LIFE)).connect() as host:
        host.hook("on_activate", 0, 0, "")
        host.wait_for_log("activated")


# ---- output


def test_print_reaches_the_log_and_so_does_what_child_processes_print(kind):
    code = plugin_code(kind, "def on_activate(self): print('printed'); os.system('echo child')")
    with active(code) as host:
        line = host.wait_for_log("printed")
        assert (line["@level"], line["@module"]) == ("info", "stdout")
        end = time.monotonic() + 30
        while "child\n" not in host.stderr and time.monotonic() < end:
            time.sleep(0.01)
        assert "child\n" in host.stderr


def test_the_hosts_log_level_is_obeyed(kind):
    code = plugin_code(kind, "def on_activate(self): logging.info('quiet'); logging.error('loud')")
    with active(code, environment={"MATTERMOST_PLUGIN_LOG_LEVEL": "warn"}) as host:
        host.wait_for_log("loud")
        assert host.messages() == ["loud"]


def test_the_bundle_its_id_and_manifest_are_known(kind, tmp_path):
    (tmp_path / "plugin.json").write_text('{"id": "com.example.x", "version": "1.2.3"}')
    code = plugin_code(
        kind,
        """
        def on_activate(self):
            logging.info(f"{self.plugin_id} {self.bundle_path} {self.manifest['version']}")
        """,
    )
    environment = {"MATTERMOST_PLUGIN_ID": "com.example.x", "MATTERMOST_PLUGIN_BUNDLE": str(tmp_path)}
    with active(code, environment=environment) as host:
        host.wait_for_log(f"com.example.x {tmp_path} 1.2.3")


# ---- end


def test_shutdown_deactivates_answers_and_ends(kind):
    with active(plugin_code(kind, LIFE)) as host:
        assert host.shutdown() == 0
        assert host.messages() == ["configured", "activated", "deactivated"]
        assert not Path(host.address).exists()


def test_deactivation_runs_once_when_the_host_asks_and_then_shuts_down(kind):
    with active(plugin_code(kind, LIFE)) as host:
        host.hook("on_deactivate")
        host.wait_for_log("deactivated")
        host.hook("on_deactivate")
        assert host.shutdown() == 0
        assert host.messages().count("deactivated") == 1


def test_sigterm_deactivates_and_ends(kind):
    with active(plugin_code(kind, LIFE)) as host:
        host.process.send_signal(signal.SIGTERM)
        assert host.wait() == 0
        assert host.messages().count("deactivated") == 1
        assert not Path(host.address).exists()


def test_sigterm_that_another_thread_took_ends_the_plugin(kind):
    # The kernel may choose any thread, and what comes just before the main thread waits is like that, too.
    code = (
        LIFE
        + """
def message_has_been_posted(self, context, post):
    import signal
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
"""
    )
    with active(plugin_code(kind, code)) as host:
        host.hook("message_has_been_posted", Context(), Post())
        assert host.wait() == 0
        assert host.messages().count("deactivated") == 1


def test_sigterm_before_the_activation_ends_without_deactivation(kind):
    with Host(plugin_code(kind, LIFE)).connect() as host:
        host.process.send_signal(signal.SIGTERM)
        assert host.wait() == 0
        assert host.messages() == []


def test_an_interrupt_from_a_terminal_is_the_hosts_business(kind):
    with active(plugin_code(kind, LIFE)) as host:
        host.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert host.raw(HEALTH + "Check") == SERVING


def test_a_host_that_goes_away_ends_the_plugin_after_its_deactivation(kind):
    with active(plugin_code(kind, LIFE)) as host:
        host.channel.close()
        assert host.wait() == 0
        assert host.messages().count("deactivated") == 1


def test_a_host_that_dies_before_it_connects_ends_the_plugin(kind, tmp_path):
    entrypoint = tmp_path / "orphan.py"
    entrypoint.write_text(plugin_code(kind, LIFE))
    script = (
        "import os, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, sys.argv[1]], stdout=subprocess.PIPE)\n"
        "print(child.pid, flush=True)\n"
        "child.stdout.readline()\n"
        "os._exit(0)\n"
    )
    host = subprocess.Popen(
        [sys.executable, "-c", script, str(entrypoint)],
        env=clean_environment(MATTERMOST_PLUGIN="Securely message teams, anywhere."),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    pid = int(host.stdout.readline())
    try:
        # The plugin has inherited stderr, whose end is therefore that of both processes.
        host.communicate(timeout=90)
    except subprocess.TimeoutExpired:
        os.kill(pid, signal.SIGKILL)
        host.communicate()
        raise


def test_a_failing_deactivation_is_logged_and_told_to_the_host_that_asks(kind):
    with active(plugin_code(kind, "def on_deactivate(self): raise OSError('disk')")) as host:
        with pytest.raises(ServerError, match=r"^disk$"):
            host.hook("on_deactivate")
        assert "OSError: disk" in host.wait_for_log("on_deactivate")["traceback"]
        assert host.shutdown() == 0


def test_a_failing_deactivation_does_not_stop_the_shutdown(kind):
    with active(plugin_code(kind, "def on_deactivate(self): raise OSError('disk')")) as host:
        assert host.shutdown() == 0
        assert "OSError: disk" in host.wait_for_log("on_deactivate")["traceback"]


def test_the_api_still_answers_in_on_deactivate(kind):
    code = plugin_code(kind, "def on_deactivate(self): self.api.kv_set('bye', b'1')")
    stored = {}
    with active(code, api={"kv_set": stored.__setitem__}) as host:
        host.process.send_signal(signal.SIGTERM)
        assert host.wait() == 0
    assert stored == {"bye": b"1"}


def test_a_running_hook_is_answered_before_the_process_ends(kind):
    code = plugin_code(
        kind,
        """
        def message_will_be_posted(self, ctx, post):
            logging.info("in hook")
            time.sleep(0.5)
            return Post(message="late")
        """,
    )
    with active(code) as host:
        method = "message_will_be_posted"
        results = []
        thread = threading.Thread(target=lambda: results.append(host.hook(method, Context(), Post()).message))
        thread.start()
        host.wait_for_log("in hook")
        host.raw("/plugin.GRPCController/Shutdown")
        thread.join()
        assert results == ["late"]
        assert host.wait() == 0


def test_a_hook_and_a_thread_that_do_not_end_cannot_keep_the_process(kind):
    code = plugin_code(
        kind,
        """
        def on_activate(self):
            threading.Thread(target=threading.Event().wait, name="forgotten", daemon=False).start()
        def message_has_been_posted(self, ctx, post):
            logging.info("in hook")
            while True: time.sleep(0.1)
        """,
    )
    with active(code) as host:

        def call():
            with pytest.raises(grpc.RpcError):
                host.hook("message_has_been_posted", Context(), Post())

        thread = threading.Thread(target=call)
        thread.start()
        host.wait_for_log("in hook")
        assert host.shutdown() == 0
        assert "forgotten" in host.wait_for_log("still run")["@message"]
        thread.join()
