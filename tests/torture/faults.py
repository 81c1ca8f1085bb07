"""What is done to a plugin, its bridge, its database and its server while they work.

Each fault is a function of the scene and a plugin. It returns the seconds without service, or None where the
plugin has to stay.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import httpx
import psutil

from tests.harness import RestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.torture.scene import Scene, Target

    Fault = Callable[[Scene, Target], "float | None"]

__all__ = ["FAULTS"]


def kill(_scene: Scene, target: Target) -> float:
    """Kill Python."""
    process = target.python()
    return target.wait_for_service(target.kill(process), without=process.pid)


def kill_twice(scene: Scene, target: Target) -> float:
    """Kill Python, and the next one as soon as it is there."""
    return _kill_many(scene, target, 2, longest=0.0)


def kill_in_start(scene: Scene, target: Target) -> float:
    """Kill Python, and the next one somewhere in its start."""
    return _kill_many(scene, target, 2, longest=0.6)


def kill_in_a_storm(scene: Scene, target: Target) -> float:
    """Kill Python five times in a row, somewhere in its start."""
    return _kill_many(scene, target, 5, longest=0.3)


def kill_in_end(scene: Scene, target: Target) -> None:
    """Kill Python somewhere in its end, and enable the plugin again."""
    process = target.python()
    began = time.monotonic()
    ending = threading.Thread(target=target.plugin.disable)
    ending.start()
    time.sleep(scene.random.uniform(0, 0.3))
    with suppress(psutil.NoSuchProcess):
        process.kill()
    ending.join()
    target.plugin.enable()
    target.wait_for_service(began, without=process.pid)
    target.miss(began, time.monotonic())


def disable_and_enable(_scene: Scene, target: Target) -> None:
    """Disable the plugin and enable it again."""
    began = time.monotonic()
    target.plugin.disable()
    target.plugin.enable()
    target.wait_for_service(time.monotonic())
    target.miss(began, time.monotonic())


def stop(scene: Scene, target: Target) -> float:
    """Stop Python for 10 to 60 s (SIGSTOP), as a paused machine does."""
    process = target.python()
    began = time.monotonic()
    process.suspend()
    with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
        process.wait(scene.random.uniform(10, 60))
    with suppress(psutil.NoSuchProcess):
        process.resume()
    seconds = target.wait_for_service(began)
    target.miss(began, time.monotonic())
    return seconds


def block(scene: Scene, target: Target) -> float:
    """Keep a hook busy for 8 s: the event loop stands still."""
    began = time.monotonic()
    with suppress(RestError):
        scene.actor.run_command(scene.channel["id"], f"/torture-{target.name} block 8")
    seconds = target.wait_for_service(time.monotonic())
    target.miss(began, time.monotonic())
    return seconds


def flood(scene: Scene, target: Target) -> None:
    """Write 20,000 lines to the log."""
    with suppress(RestError):
        scene.actor.run_command(scene.channel["id"], f"/torture-{target.name} flood 20000")
    target.wait_for_service(time.monotonic())


def no_memory(scene: Scene, target: Target) -> None:
    """Let Python have hardly any more memory for 5 s."""
    process = target.python()
    limit = process.memory_info().vms + (64 << 20)
    with _limited(process.pid, resource.RLIMIT_AS, limit):
        httpx.get(f"{scene.server.url}/plugins/{target.plugin.id}/allocate/512", timeout=60, trust_env=False)
        time.sleep(5)
    target.wait_for_service(time.monotonic())


def no_descriptors(_scene: Scene, target: Target) -> None:
    """Let Python open no more files for 5 s."""
    process = target.python()
    with _limited(process.pid, resource.RLIMIT_NOFILE, process.num_fds()):
        time.sleep(5)
    target.wait_for_service(time.monotonic())


def no_cpu(_scene: Scene, target: Target) -> None:
    """Have four busy processes beside it for 10 s."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4)]
    try:
        time.sleep(10)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    target.wait_for_service(time.monotonic())


def kill_bridge(_scene: Scene, target: Target) -> float:
    """Kill the bridge; the server's health check starts it again."""
    bridge, process = target.bridge(), target.python()
    began = target.kill(bridge)
    seconds = target.wait_for_service(began, without=process.pid)
    target.miss(began, time.monotonic())
    return seconds


def restart_database(scene: Scene, target: Target) -> float:
    """Restart PostgreSQL."""
    began = time.monotonic()
    scene.bench.restart_database()
    return target.wait_for_service(began)


def restart_server(scene: Scene, _target: Target) -> float:
    """Restart the server."""
    began = time.monotonic()
    scene.server.restart()
    seconds = max(target.wait_for_service(time.monotonic()) for target in scene.targets)
    for target in scene.targets:
        target.miss(began, time.monotonic())
    return seconds


def _kill_many(scene: Scene, target: Target, times: int, *, longest: float) -> float:
    """Kill one Python process after the other; the seconds count from the last kill."""
    last, killed = 0, 0.0
    for _ in range(times):
        process = target.python()
        while process.pid == last:
            time.sleep(0.005)
            process = target.python()
        if last:
            time.sleep(scene.random.uniform(0, longest))
        killed, last = target.kill(process), process.pid
    return target.wait_for_service(killed, without=last)


@contextmanager
def _limited(pid: int, kind: int, limit: int) -> Iterator[None]:
    before = resource.prlimit(pid, kind)
    resource.prlimit(pid, kind, (limit, before[1]))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, kind, before)


#: By name, with how often each is done in a long run: 200 kills of Python in all.
FAULTS: dict[str, tuple[Fault, int]] = {
    "kill": (kill, 100),
    "kill twice": (kill_twice, 15),
    "kill in a storm": (kill_in_a_storm, 6),
    "kill in the start": (kill_in_start, 15),
    "kill in the end": (kill_in_end, 10),
    "disable and enable": (disable_and_enable, 4),
    "stop for 10-60 s": (stop, 6),
    "block for 8 s": (block, 4),
    "flood the log": (flood, 4),
    "no memory": (no_memory, 4),
    "no descriptors": (no_descriptors, 4),
    "no CPU": (no_cpu, 4),
    "kill the bridge": (kill_bridge, 4),
    "restart PostgreSQL": (restart_database, 3),
    "restart the server": (restart_server, 3),
}
