"""What threads wait for that take turns."""

import threading
import time

import pytest

from mattermost_plugin._grpc.threads.semaphores import Semaphore

#: Seconds that are never waited for unless something is wrong.
LONG = 60


def in_a_minute() -> float:
    return time.monotonic() + LONG


def test_a_post_wakes_the_thread_that_waits() -> None:
    semaphore = Semaphore()
    woken: list[bool] = []
    thread = threading.Thread(target=lambda: woken.append(semaphore.wait(in_a_minute())))
    thread.start()
    semaphore.post()
    thread.join()
    assert woken == [True]


@pytest.mark.parametrize("deadline", [None, 0.0, in_a_minute()])
def test_a_post_beforehand_counts(deadline: float | None) -> None:
    semaphore = Semaphore()
    semaphore.post()
    assert semaphore.wait(deadline)


def test_a_wait_ends_at_its_deadline() -> None:
    semaphore = Semaphore()
    deadline = time.monotonic() + 0.05
    assert not semaphore.wait(deadline)
    assert time.monotonic() >= deadline
    assert not semaphore.wait(0.0)
    semaphore.post()
    assert semaphore.wait(in_a_minute())


def test_waiting_can_post_another_one_first() -> None:
    """Two threads that only go on in turns."""
    first, second = Semaphore(), Semaphore()
    seen: list[str] = []

    def run(name: str, own: Semaphore, other: Semaphore) -> None:
        assert own.wait(in_a_minute())
        for _ in range(200):
            seen.append(name)
            assert own.wait(in_a_minute(), other)
        other.post()

    threads = [
        threading.Thread(target=run, args=("a", first, second)),
        threading.Thread(target=run, args=("b", second, first)),
    ]
    for thread in threads:
        thread.start()
    first.post()
    for thread in threads:
        thread.join()
    assert seen == ["a", "b"] * 200


def test_what_is_posted_must_be_a_semaphore() -> None:
    with pytest.raises((TypeError, AttributeError)):
        Semaphore().wait(0.0, "semaphore")  # type: ignore[arg-type]


def test_a_deadline_must_be_a_number() -> None:
    with pytest.raises(TypeError):
        Semaphore().wait("soon")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not a number"):
        Semaphore().wait(float("nan"))
