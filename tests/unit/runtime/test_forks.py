"""Forked children keep away from what is the plugin's: its connections, its signals, its answers."""

from __future__ import annotations

import pytest

from mattermost_plugin import CommandArgs, Context
from tests.unit.runtime.host import active
from tests.unit.runtime.kinds import KINDS, plugin_code

# Runs a function in a child and returns its exit status.
HEAD = """
import concurrent.futures, multiprocessing, signal, subprocess
def status_of(pid): return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
def square(number): return number * number
"""


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def run(kind, body, **options):
    """Return what a command says whose code is `body`, once the plugin has proved to be alive."""
    code = "def on_deactivate(self): logging.info('deactivated')\ndef execute_command(self, ctx, args):\n"
    code += "".join(f"    {line}\n" for line in body.strip().splitlines())
    with active(plugin_code(kind, code, before=HEAD), **options) as host:
        said = host.hook("execute_command", Context(), CommandArgs()).text
        assert host.hook("implemented")
        assert "deactivated" not in host.messages()
        return said, host.messages()


@pytest.mark.parametrize(
    ("leaving", "status"),
    [
        ("sys.exit(3)", "3"),
        ("sys.exit()", "0"),
        ("sys.exit('stopped')", "1"),
        ("raise ValueError('in the child')", "1"),
        ("return CommandResponse(text='of the child')", "0"),
        ("os.kill(os.getpid(), signal.SIGTERM)", "-15"),
    ],
)
def test_a_child_that_leaves_a_hook_ends_with_its_status_and_answers_nothing(kind, leaving, status):
    body = f"""
pid = os.fork()
if not pid:
    {leaving}
return CommandResponse(text=str(status_of(pid)))
"""
    said, messages = run(kind, body)
    assert said == status
    if "ValueError" in leaving:
        assert any("ValueError: in the child" in message for message in messages)


def test_pools_end_without_ending_the_plugin(kind):
    body = """
for _ in range(5):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        found = pool.map(square, range(4))
with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
    found += pool.map(square, range(4))
return CommandResponse(text=str(found))
"""
    said, _ = run(kind, body)
    assert said == str([0, 1, 4, 9] * 2)


def test_programs_have_the_usual_handling_of_signals(kind):
    body = """
code = "import signal; print([str(signal.getsignal(n)) for n in (signal.SIGTERM,)], "
code += "signal.getsignal(signal.SIGINT) is signal.default_int_handler, list(signal.pthread_sigmask(0, [])))"
out = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, **extra).stdout
       for extra in ({}, {"preexec_fn": lambda: None})]
return CommandResponse(text="".join(out))
"""
    said, _ = run(kind, body)
    assert (
        said.splitlines() == ["['0'] True []", "['0'] True []"]
        or said.splitlines() == ["['Handlers.SIG_DFL'] True []"] * 2
    )


def test_a_child_cannot_call_the_api_and_the_parent_does_not_notice():
    body = """
def in_child():
    try:
        self.api.kv_get("a")
    except UsedAfterFork as error:
        logging.info("refused: %s", error)
        os._exit(7)
    os._exit(0)
answers = []
for _ in range(5):
    self.api.kv_get("a")
    pid = os.fork()
    if not pid:
        in_child()
    answers += [self.api.kv_get("a") for _ in range(20)]
    answers.append(status_of(pid))
return CommandResponse(text=str(set(answers)))
"""
    said, messages = run("sync", body, api={"kv_get": lambda key: key.encode()})
    assert eval(said) == {b"a", 7}
    assert sum("refused: this process was forked" in message for message in messages) == 5


def test_the_asynchronous_api_is_refused_in_a_child_too():
    before = (
        HEAD
        + """
async def refused(api):
    try:
        await api.kv_get("a")
    except UsedAfterFork:
        return 7
"""
    )
    code = """
async def execute_command(self, ctx, args):
    await self.api.kv_get("a")
    pid = os.fork()
    if not pid:
        try:
            refused(self.api).send(None)
        except StopIteration as ended:
            os._exit(ended.value)
        os._exit(0)
    answer = await self.api.kv_get("a")
    return CommandResponse(text=f"{status_of(pid)} {answer}")
"""
    text = plugin_code("sync", code, before=before).replace(
        "class Tested(Plugin)", "class Tested(AsyncPlugin)"
    )
    with active(text, api={"kv_get": lambda key: key.encode()}) as host:
        assert host.hook("execute_command", Context(), CommandArgs()).text == "7 b'a'"


def test_a_child_can_log_while_another_thread_of_the_parent_did(kind):
    body = """
done = threading.Event()
def talk():
    while not done.is_set():
        logging.info("parent")
talking = threading.Thread(target=talk)
talking.start()
statuses = []
for number in range(20):
    pid = os.fork()
    if not pid:
        signal.alarm(30)
        logging.info("child %d", number)
        os._exit(5)
    statuses.append(status_of(pid))
done.set()
talking.join()
return CommandResponse(text=str(set(statuses)))
"""
    said, messages = run(kind, body)
    assert said == "{5}"
    assert {f"child {number}" for number in range(20)} <= set(messages)
