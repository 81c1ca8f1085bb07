"""Hooks called by a host over a real socket, in both kinds of plugin."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from mattermost_plugin import (
    AppError,
    CommandArgs,
    Config,
    Context,
    NotFound,
    OnInstallEvent,
    Post,
    Reject,
    RemoteCluster,
    ServerError,
    User,
)
from tests.unit.runtime.host import Abort, active
from tests.unit.runtime.kinds import KINDS, plugin_code


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def failed(call, *arguments, **options):
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **options)
    return caught.value


def test_only_overridden_hooks_are_reported_in_the_contracts_order_by_go_name(kind):
    code = plugin_code(
        kind,
        """
        def message_will_be_posted(self, ctx, post): return None
        def on_activate(self): ...
        def on_websocket_connect(self, web_conn_id, user_id): ...
        """,
    )
    with active(code) as host:
        assert host.hook("implemented") == ["OnActivate", "MessageWillBePosted", "OnWebSocketConnect"]


def test_a_returned_post_a_reason_or_nothing_travels(kind):
    code = plugin_code(
        kind,
        """
        def message_will_be_posted(self, ctx, post):
            if post.message == "no": return Reject("be " + ctx.user_agent)
            if post.message == "dismiss": return Reject.dismiss()
            if post.message == "same": return None
            post.message += "!"
            post.props["n"] = 2**60
            return post
        def user_will_log_in(self, ctx, user):
            return Reject("go away") if user.username == "eve" else None
        """,
    )
    with active(code) as host:
        post = Post(id="p", message="hi", props={"a": [1, None, b"x"]}, file_ids=["f"])
        changed = host.hook("message_will_be_posted", Context(), post)
        assert (changed.id, changed.message, changed.file_ids) == ("p", "hi!", ["f"])
        assert changed.props == {"a": [1, None, b"x"], "n": 2**60}
        assert host.hook("message_will_be_posted", Context(), Post(message="same")) is None
        no = host.hook("message_will_be_posted", Context(user_agent="nice"), Post(message="no"))
        assert no == Reject("be nice")
        dismissed = host.hook("message_will_be_posted", Context(), Post(message="dismiss"))
        assert dismissed == Reject("plugin.message_will_be_posted.dismiss_post")
        assert host.hook("user_will_log_in", Context(), User(username="eve")) == Reject("go away")
        assert host.hook("user_will_log_in", Context(), User(username="bob")) is None
        assert host.log == []


def test_an_exception_is_in_the_log_and_not_on_the_wire(kind):
    code = plugin_code(
        kind,
        """
        def message_has_been_posted(self, ctx, post):
            secret = 1 / 0
        """,
    )
    with active(code) as host:
        error = failed(host.hook, "message_has_been_posted", Context(), Post())
        assert error.code() == grpc.StatusCode.INTERNAL
        assert "MessageHasBeenPosted" in error.details()
        assert "zero" not in error.details()
        line = host.wait_for_log("message_has_been_posted")
        assert line["@level"] == "error"
        assert line["hook"] == "message_has_been_posted"
        assert "secret = 1 / 0" in line["traceback"]
        assert "ZeroDivisionError: division by zero" in line["traceback"]
        assert len(host.log) == 1


def test_sys_exit_in_a_hook_is_a_failure_like_any_other(kind):
    code = plugin_code(kind, "def message_has_been_posted(self, ctx, post): sys.exit(3)")
    with active(code) as host:
        assert (
            failed(host.hook, "message_has_been_posted", Context(), Post()).code() == grpc.StatusCode.INTERNAL
        )
        assert "SystemExit" in host.wait_for_log("message_has_been_posted")["traceback"]
        assert host.process.poll() is None


def test_an_exception_of_a_hook_that_returns_an_error_is_that_error(kind):
    code = plugin_code(
        kind,
        """
        def run_data_retention(self, now_time, batch_size):
            if batch_size: return batch_size * 2
            raise RuntimeError("nothing to do")
        """,
    )
    with active(code) as host:
        assert host.hook("run_data_retention", 1, 21) == 42
        with pytest.raises(ServerError, match=r"^nothing to do$"):
            host.hook("run_data_retention", 1, 0)
        assert "RuntimeError: nothing to do" in host.wait_for_log("run_data_retention")["traceback"]


def test_an_app_error_travels_with_all_its_fields_and_is_no_failure(kind):
    code = plugin_code(
        kind,
        """
        def execute_command(self, ctx, args):
            raise NotFound("no such thing", id="my.id", detailed_error="looked twice", where="Here",
                           request_id="r", skip_translation=True)
        """,
    )
    with active(code) as host:
        with pytest.raises(NotFound) as caught:
            host.hook("execute_command", Context(), CommandArgs(command="/x"))
        error = caught.value
        assert (error.message, error.id, error.detailed_error) == ("no such thing", "my.id", "looked twice")
        assert (error.where, error.request_id, error.status_code) == ("Here", "r", 404)
        assert error.skip_translation is True
        assert host.log == []


def test_another_exception_of_execute_command_is_an_app_error_too(kind):
    code = plugin_code(kind, "def execute_command(self, ctx, args): raise KeyError('x')")
    with active(code) as host:
        with pytest.raises(AppError) as caught:
            host.hook("execute_command", Context(), CommandArgs())
        assert caught.value.status_code == 500
        assert caught.value.where == "ExecuteCommand"
        assert "KeyError" in host.wait_for_log("execute_command")["traceback"]


@pytest.mark.parametrize(
    ("hook", "result", "arguments"),
    [
        ("message_will_be_posted", "'text'", (Context(), Post())),
        ("message_will_be_posted", "True", (Context(), Post())),
        ("message_will_be_posted", "User()", (Context(), Post())),
        ("message_will_be_posted", "Post(message=3)", (Context(), Post())),
        ("on_shared_channels_ping", "None", (RemoteCluster(),)),
        ("on_shared_channels_ping", "'yes'", (RemoteCluster(),)),
        ("message_has_been_posted", "3", (Context(), Post())),
        ("messages_will_be_consumed", "[Post(), 'x']", ([],)),
        ("message_has_been_posted", "Reject('no')", (Context(), Post())),
    ],
)
def test_a_wrong_result_is_a_type_error_in_the_log_that_says_what_was_expected(kind, hook, result, arguments):
    code = plugin_code(kind, f"def {hook}(self, *_): return {result}")
    with active(code) as host:
        error = failed(host.hook, hook, *arguments)
        assert error.code() == grpc.StatusCode.INTERNAL
        line = host.wait_for_log(hook)
        assert line["@level"] == "error"
        final = [text for text in line["traceback"].splitlines() if text.startswith("TypeError")][-1]
        assert f"{hook} returned " in final
        assert f"the hook is {hook}(self" in final


def test_reject_is_an_error_where_the_hook_returns_an_error(kind):
    code = plugin_code(kind, "def on_install(self, ctx, event): return Reject('not here')")
    with active(code) as host, pytest.raises(ServerError, match=r"^not here$"):
        host.hook("on_install", Context(), OnInstallEvent())


def test_a_configuration_can_be_refused_although_the_hook_returns_one_too(kind):
    body = """
    def configuration_will_be_saved(self, new_cfg):
        if new_cfg.team_settings.site_name == "bad": return Reject("a bad name")
        new_cfg.team_settings.site_name = "better"
        return new_cfg
    """
    with active(plugin_code(kind, body)) as host:
        changed = host.hook("configuration_will_be_saved", named("good"))
        assert changed.team_settings.site_name == "better"
        with pytest.raises(ServerError, match=r"^a bad name$"):
            host.hook("configuration_will_be_saved", named("bad"))


def named(name: str) -> Config:
    config = Config()
    config.team_settings.site_name = name
    return config


def test_def_and_async_def_work_in_both_classes():
    body = """
    def user_has_been_created(self, ctx, user): self.seen = threading.current_thread().name
    async def message_will_be_posted(self, ctx, post):
        await asyncio.sleep(0.01)
        post.message = f"{self.seen} {threading.current_thread().name}"
        return post
    """
    for base in ("Plugin", "AsyncPlugin"):
        code = plugin_code("sync", body).replace("Tested(Plugin)", f"Tested({base})")
        with active(code) as host:
            host.hook("user_has_been_created", Context(), User())
            threads = host.hook("message_will_be_posted", Context(), Post()).message
            assert len(set(threads.split(" ", 1))) == 2 or "MainThread" not in threads.split()[0]


def test_async_hooks_of_a_blocking_plugin_share_one_loop():
    code = plugin_code(
        "sync",
        """
        loops = set()
        async def message_will_be_posted(self, ctx, post):
            self.loops.add(id(asyncio.get_running_loop()))
            await asyncio.sleep(0.05)
            return Post(message=str(len(self.loops)))
        """,
    )
    with active(code) as host:
        call = (host.hook, "message_will_be_posted", Context(), Post())
        with ThreadPoolExecutor(8) as threads:
            answers = [threads.submit(*call) for _ in range(8)]
        assert {answer.result().message for answer in answers} == {"1"}


def test_hooks_run_at_the_same_time(kind):
    code = plugin_code(
        kind,
        """
        inside = 0
        def message_has_been_posted(self, ctx, post):
            self.inside += 1
            while self.inside < 6: time.sleep(0.01)
        """,
    )
    with active(code) as host:
        call = (host.hook, "message_has_been_posted", Context(), Post())
        with ThreadPoolExecutor(6) as threads:
            for answer in [threads.submit(*call) for _ in range(6)]:
                assert answer.result() is None


def test_plain_hooks_of_an_async_plugin_may_block():
    code = plugin_code(
        "sync",
        """
        done = threading.Event()
        def message_has_been_posted(self, ctx, post):
            logging.info("waiting")
            assert self.done.wait(30)
        async def user_has_been_created(self, ctx, user): self.done.set()
        """,
    ).replace("Tested(Plugin)", "Tested(AsyncPlugin)")
    with active(code) as host, ThreadPoolExecutor(1) as threads:
        slow = threads.submit(host.hook, "message_has_been_posted", Context(), Post())
        host.wait_for_log("waiting")
        host.hook("user_has_been_created", Context(), User())
        assert slow.result() is None


def test_an_async_hook_is_cancelled_when_the_host_stops_waiting():
    body = """
    async def message_has_been_posted(self, ctx, post):
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            logging.warning("cancelled inside")
            raise
    """
    for base in ("Plugin", "AsyncPlugin"):
        with active(plugin_code("sync", body).replace("Tested(Plugin)", f"Tested({base})")) as host:
            error = failed(host.hook, "message_has_been_posted", Context(), Post(), timeout=3)
            assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
            host.wait_for_log("cancelled inside")


def test_the_api_answers_and_raises_inside_hooks(kind):
    def get_user(user_id):
        if user_id == "u1":
            return User(id="u1", username="ann")
        raise NotFound("nobody", id="app.user.missing", where="GetUser", detailed_error=user_id)

    code = plugin_code(
        kind,
        """
        def message_will_be_posted(self, ctx, post):
            try:
                user = self.api.get_user(post.user_id)
            except NotFound as error:
                return Reject(f"{error.id} {error.status_code} {error.detailed_error}")
            self.api.kv_set("k", b"v" * 3)
            return Post(message=user.username)
        """,
    )
    stored = {}
    with active(code, api={"get_user": get_user, "kv_set": stored.__setitem__}) as host:
        assert host.hook("message_will_be_posted", Context(), Post(user_id="u1")).message == "ann"
        assert host.hook("message_will_be_posted", Context(), Post(user_id="u2")) == Reject(
            "app.user.missing 404 u2"
        )
        assert stored == {"k": b"vvv"}


@pytest.mark.parametrize(
    ("status", "metadata", "exception", "said"),
    [
        (
            "UNIMPLEMENTED",
            (("mattermost-minimum-version", "99.1"),),
            "NotSupported",
            "GetUser.*Mattermost 99.1",
        ),
        ("UNIMPLEMENTED", (), "NotSupported", "GetUser.*needs Mattermost 5.2"),
        ("UNAVAILABLE", (), "Unavailable", "GetUser"),
        ("INTERNAL", (), "CallFailed", "GetUser failed with INTERNAL: sorry"),
        ("DEADLINE_EXCEEDED", (), "DeadlineExceeded", "GetUser"),
    ],
)
def test_a_failed_call_of_the_api_raises_what_its_status_means(kind, status, metadata, exception, said):
    def get_user(_user_id):
        raise Abort(getattr(grpc.StatusCode, status), "sorry", metadata)

    code = plugin_code(
        kind,
        """
        def message_will_be_posted(self, ctx, post):
            try:
                self.api.get_user("u")
            except PluginError as error:
                return Reject(f"{type(error).__name__}: {error.method}: {error}")
        """,
    )
    with active(code, api={"get_user": get_user}) as host:
        reason = host.hook("message_will_be_posted", Context(), Post()).reason
        name, method, text = reason.split(": ", 2)
        assert (name, method) == (exception, "GetUser")
        assert re.search(said, text)


def test_with_timeout_limits_how_long_a_call_waits(kind):
    code = plugin_code(
        kind,
        """
        def message_will_be_posted(self, ctx, post):
            try:
                self.api.with_timeout(0.2).get_user("u")
            except DeadlineExceeded as error:
                return Reject(f"{error.timeout} {isinstance(error, TimeoutError)}")
        """,
    )
    with active(code, api={"get_user": lambda _id: time.sleep(2)}) as host:
        assert host.hook("message_will_be_posted", Context(), Post()) == Reject("0.2 True")


def test_the_api_before_the_activation_says_when_it_works(kind):
    code = plugin_code(
        kind,
        """
        def __init__(self):
            try:
                self.api
            except NotConnected as error:
                self.early = str(error)
        def on_activate(self):
            logging.info(self.early)
        """,
    )
    with active(code) as host:
        host.wait_for_log("there is no connection to the server")
