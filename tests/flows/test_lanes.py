"""Lanes to the threads: the known go ahead of the new, guessers have a thread apart, and none takes another's room."""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from app.process.lanes import Lanes
from app.storage.errors import StoreUnavailableError


class Crowd:
    """Work that ends when it is told to. begun: in which order it came to its turn."""

    def __init__(self, *, threads: int, waiting: int = 8) -> None:
        self.lanes = Lanes(threads=threads, waiting=waiting)
        self.begun: list[str] = []
        self.open = threading.Semaphore(0)

    def come(self, name: str, *, ahead: bool = False, tried: int = 0) -> "asyncio.Task[str]":
        return asyncio.ensure_future(self.lanes.run(partial(self._work, name), ahead=ahead, tried=tried))

    async def seen(self, *names: str) -> None:
        """Wait until just these have begun, in this order, and see that no other follows by itself."""
        for _ in range(5_000):
            if len(self.begun) >= len(names):
                break
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)
        assert self.begun == list(names)

    def end(self, count: int = 1) -> None:
        self.open.release(count)

    def _work(self, name: str) -> str:
        self.begun.append(name)
        assert self.open.acquire(timeout=10)
        return name


@pytest.fixture
def crowds() -> Iterator[list[Crowd]]:
    made: list[Crowd] = []
    yield made
    for crowd in made:
        crowd.end(1000)
        crowd.lanes.close()


async def test_others_leave_a_thread_free_and_the_known_use_them_all(crowds: list[Crowd]) -> None:
    crowds.append(crowd := Crowd(threads=3))
    coming = [crowd.come(f"other {number}") for number in range(4)]
    await crowd.seen("other 0", "other 1")
    coming += [crowd.come("known 0", ahead=True)]
    await crowd.seen("other 0", "other 1", "known 0")
    crowd.end(5)
    assert await asyncio.gather(*coming) == ["other 0", "other 1", "other 2", "other 3", "known 0"]
    coming = [crowd.come(f"known {number}", ahead=True) for number in range(1, 5)]
    await crowd.seen(*crowd.begun[:5], "known 1", "known 2", "known 3")
    crowd.end(4)
    await asyncio.gather(*coming)


async def test_no_other_begins_while_a_known_one_waits(crowds: list[Crowd]) -> None:
    crowds.append(crowd := Crowd(threads=1))
    first = crowd.come("other 0")
    await crowd.seen("other 0")
    coming = [crowd.come("other 1"), *(crowd.come(f"known {number}", ahead=True) for number in range(2))]
    await asyncio.sleep(0)
    crowd.end(4)
    await asyncio.gather(first, *coming)
    assert crowd.begun == ["other 0", "known 0", "known 1", "other 1"]


@pytest.mark.parametrize("ahead", [True, False])
async def test_whoever_tried_less_goes_first(crowds: list[Crowd], ahead: bool) -> None:  # noqa: FBT001
    """R-60: as they came in the lane ahead; among the others, the newest goes before a crowd that came all at once."""
    crowds.append(crowd := Crowd(threads=1, waiting=4))
    coming = [crowd.come("first", ahead=ahead, tried=9)]
    await crowd.seen("first")
    for name, tried in (("much", 8), ("once", 1), ("a little", 2), ("once too", 1)):
        coming.append(crowd.come(name, ahead=ahead, tried=tried))
    await asyncio.sleep(0)
    crowd.end(5)
    await asyncio.gather(*coming)
    once = ["once", "once too"] if ahead else ["once too", "once"]
    assert crowd.begun == ["first", *once, "a little", "much"]


async def test_whoever_tried_most_makes_room(crowds: list[Crowd]) -> None:
    """Among those who tried as much, it is the one that waits longest."""
    crowds.append(crowd := Crowd(threads=1, waiting=2))
    running = crowd.come("running", tried=1)
    await crowd.seen("running")
    much, little, as_little, once = (
        crowd.come(name, tried=tried)
        for name, tried in (("much", 9), ("little", 5), ("as little", 5), ("once", 1))
    )
    await asyncio.sleep(0.01)
    for turned_away in (much, little):
        with pytest.raises(StoreUnavailableError):
            await turned_away
    assert not crowd.lanes.has_room(ahead=False, tried=5)
    assert crowd.lanes.has_room(ahead=False, tried=4)
    crowd.end(3)
    assert [*await asyncio.gather(running, as_little, once)] == ["running", "as little", "once"]
    assert crowd.begun == ["running", "once", "as little"]


@pytest.mark.parametrize("ahead", [True, False])
async def test_a_full_lane_leaves_the_other_its_room(crowds: list[Crowd], ahead: bool) -> None:  # noqa: FBT001
    """R-60."""
    crowds.append(crowd := Crowd(threads=2, waiting=3))
    full = [crowd.come(f"{number}", ahead=ahead) for number in range(6)]
    await asyncio.sleep(0.01)
    assert not crowd.lanes.has_room(ahead=ahead, tried=0)
    assert crowd.lanes.has_room(ahead=not ahead, tried=10)
    passing = crowd.come("passing", ahead=not ahead, tried=10)
    await asyncio.sleep(0.01)
    crowd.end(7)
    told = await asyncio.gather(*full, return_exceptions=True)
    refused = [place for place, each in enumerate(told) if isinstance(each, StoreUnavailableError)]
    assert refused == ([5] if ahead else [1, 2])
    assert await passing == "passing"


async def test_who_went_away_gives_a_place_up_and_a_thread_once_it_is_free(crowds: list[Crowd]) -> None:
    """R-86."""
    crowds.append(crowd := Crowd(threads=1, waiting=1))
    running = crowd.come("running")
    await crowd.seen("running")
    waiting = crowd.come("waiting")
    await asyncio.sleep(0)
    waiting.cancel()
    running.cancel()
    await asyncio.gather(running, waiting, return_exceptions=True)
    after = crowd.come("after")
    await crowd.seen("running")  # whose thread still works
    crowd.end(2)
    assert await after == "after"
    assert crowd.begun == ["running", "after"]


async def test_nobody_waits_for_ever_and_work_that_has_begun_ends(
    crowds: list[Crowd], monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-60, R-86: those who tried less keep coming, and whoever tried more would wait behind all of them."""
    monkeypatch.setattr("app.process.lanes._LONGEST_WAIT_S", 0.2)
    crowds.append(crowd := Crowd(threads=1))
    running = crowd.come("running", tried=1)
    await crowd.seen("running")
    with pytest.raises(StoreUnavailableError):
        await crowd.come("waiting", tried=2)
    crowd.end(2)
    assert await running == "running"
    assert await crowd.come("after") == "after"
    assert crowd.begun == ["running", "after"]


async def test_what_the_work_raises_is_raised_and_frees_the_thread(crowds: list[Crowd]) -> None:
    crowds.append(crowd := Crowd(threads=1))
    with pytest.raises(ZeroDivisionError):
        await crowd.lanes.run(lambda: 1 // 0, ahead=False, tried=0)
    crowd.end()
    assert await crowd.come("next") == "next"


async def test_a_thread_of_the_others_rests_while_they_wait_and_the_known_take_it_meanwhile(
    crowds: list[Crowd],
) -> None:
    """R-60: passwords of strangers, however many wait, take half of a core at most."""
    crowds.append(crowd := Crowd(threads=1, waiting=2))
    coming = [crowd.come("other 0"), crowd.come("other 1")]
    await crowd.seen("other 0")
    await asyncio.sleep(0.1)
    crowd.end()
    await coming[0]
    began = asyncio.get_running_loop().time()
    coming.append(crowd.come("known", ahead=True))
    crowd.end(2)
    await coming[2]
    assert crowd.begun == ["other 0", "known"]
    await coming[1]
    assert asyncio.get_running_loop().time() - began > 0.09


async def test_a_few_who_tried_nothing_go_as_they_came_without_a_rest(
    crowds: list[Crowd], monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-60: an office in the morning is no flood, and the first of it does not wait for all the others."""
    monkeypatch.setattr("app.process.lanes._LONGEST_REST_S", 5)
    crowds.append(crowd := Crowd(threads=1))
    coming = [crowd.come(f"new {number}") for number in range(4)]
    await crowd.seen("new 0")
    await asyncio.sleep(0.5)
    began = asyncio.get_running_loop().time()
    crowd.end(4)
    assert await asyncio.gather(*coming) == ["new 0", "new 1", "new 2", "new 3"]
    assert crowd.begun == ["new 0", "new 1", "new 2", "new 3"]
    assert asyncio.get_running_loop().time() - began < 0.45  # the first worked longer


async def test_whoever_tried_less_does_not_wait_for_the_rest(crowds: list[Crowd]) -> None:
    """R-60: it is there because of others. Whoever tried as much waits for its end: three times as long as the work."""
    crowds.append(crowd := Crowd(threads=1))
    coming = [crowd.come("guesser", tried=5)]
    await crowd.seen("guesser")
    coming += [crowd.come("another guesser", tried=5), crowd.come("mistyped", tried=1)]
    await asyncio.sleep(0.1)
    began = asyncio.get_running_loop().time()
    crowd.end(3)
    await coming[2]
    assert asyncio.get_running_loop().time() - began < 0.05
    assert crowd.begun == ["guesser", "mistyped"]
    await coming[1]
    assert asyncio.get_running_loop().time() - began > 0.29


async def test_guessers_have_a_thread_apart_that_starts_while_nobody_else_waits(crowds: list[Crowd]) -> None:
    """R-60: whoever guessed nothing does not wait until a guess was checked."""
    crowds.append(crowd := Crowd(threads=1))
    looked = threading.Event()
    first = asyncio.ensure_future(crowd.lanes.run(looked.wait, ahead=False, tried=1))
    coming = [crowd.come("guesser", tried=1), crowd.come("new 0"), crowd.come("new 1")]
    await crowd.seen("new 0")
    looked.set()
    await first
    await asyncio.sleep(0.35)  # longer than any rest
    assert crowd.begun == ["new 0"]
    crowd.end(3)
    await asyncio.gather(*coming)
    assert sorted(crowd.begun[1:]) == [
        "guesser",
        "new 1",
    ]  # nobody else waits once the last of the new begins


async def test_threads_of_strangers_stand_back() -> None:
    """R-60: on a processor that they share with others."""
    lanes = Lanes(threads=2, waiting=1)
    turns = ((True, 0), (False, 0), (False, 1))
    nice = [await lanes.run(_niceness, ahead=ahead, tried=tried) for ahead, tried in turns]
    lanes.close()
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    assert nice == ([mine, max(mine, 5), max(mine, 10)] if sys.platform == "linux" else [mine] * 3)


def _niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id() if sys.platform == "linux" else 0)
