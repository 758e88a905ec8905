"""The watchdog sees how long the loop was blocked, tells waiting from work, and costs next to nothing."""

import asyncio
import gc
import time
from collections.abc import Callable
from statistics import median
from time import perf_counter, thread_time

import pytest
import uvloop
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from app.door.lag import HAND_ON_EVERY_S, INTERVAL_S, WARN_ABOVE_S, Watchdog, watched_loop
from app.metrics import LAG_BUCKETS, LagMeasurements

LOOPS = [pytest.param(asyncio.new_event_loop, id="asyncio"), pytest.param(uvloop.new_event_loop, id="uvloop")]
Factory = Callable[[], asyncio.AbstractEventLoop]


def compute(seconds: float) -> None:
    """Use so much of the processor, however long that takes on a busy machine."""
    until = thread_time() + seconds
    while thread_time() < until:
        pass


def lags_of(
    factory: Factory, *blocks: Callable[[], None], gap_s: float = 0.05, warn_every_s: float = 10.0
) -> LagMeasurements:
    """The watchdog's measurements of a loop that ran these one after another."""
    lags = LagMeasurements()

    async def run() -> None:
        watchdog = Watchdog(asyncio.get_running_loop(), lags, warn_every_s=warn_every_s)
        watchdog.start()
        for block in blocks:
            await asyncio.sleep(gap_s)
            block()
        await asyncio.sleep(gap_s)
        watchdog.stop()

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(run())
    return lags


def counted(name: str, above_s: float) -> float:
    """How many measurements were longer."""
    return sample(f"{name}_count") - sample(f"{name}_bucket", le=str(float(above_s)))


def sample(name: str, **labels: str) -> float:
    value = REGISTRY.get_sample_value(name, labels)
    assert value is not None, name
    return value


@pytest.mark.parametrize("factory", LOOPS)
def test_a_block_of_60_ms_is_seen_as_60_ms(factory: Factory) -> None:
    """R-110. The block is timed, as a busy machine makes it longer."""
    took: list[float] = []

    def block() -> None:
        began = perf_counter()
        compute(0.06)
        took.append(perf_counter() - began)

    lags = lags_of(factory, block)
    assert lags.longest_busy_s == pytest.approx(0.06, abs=0.015)
    assert lags.longest_lag_s >= took[0] - 0.015


@pytest.mark.parametrize("factory", LOOPS)
def test_a_loop_that_waits_is_late_and_not_busy(factory: Factory) -> None:
    """Somebody else has the processor, or a call blocks: either way the loop itself computed nothing."""
    lags = lags_of(factory, lambda: time.sleep(0.08))
    assert lags.longest_lag_s > 0.065
    assert lags.longest_busy_s < 0.03


def test_many_short_pieces_of_one_turn_are_one_block() -> None:
    """A crowd of answers in one turn of the loop blocks it as long as one slow one."""
    lags = LagMeasurements()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        watchdog = Watchdog(loop, lags)
        watchdog.start()
        await asyncio.sleep(0.03)
        for _ in range(30):
            loop.call_soon(compute, 0.002)
        await asyncio.sleep(0.05)
        watchdog.stop()

    uvloop.run(run())
    assert lags.longest_busy_s == pytest.approx(0.06, abs=0.015)


def test_a_pause_of_the_garbage_collector_is_a_block() -> None:
    garbage: list[list[object]] = [[] for _ in range(600_000)]
    for each in garbage:
        each.append(each)
    took: list[float] = []

    def collect() -> None:
        began = thread_time()
        gc.collect()
        took.append(thread_time() - began)

    gc.disable()
    try:
        del garbage
        lags = lags_of(uvloop.new_event_loop, collect)
    finally:
        gc.enable()
    assert took[0] > 0.02, "the pause was too short to be told from a punctual tick"
    assert lags.longest_busy_s == pytest.approx(took[0], abs=0.015)


def test_blocks_are_counted_in_the_buckets_they_belong_to() -> None:
    """And the punctual ticks with them, of which a machine that is late itself makes fewer."""
    before = {above: counted("rovitracker_loop_busy_seconds", above) for above in LAG_BUCKETS}
    ticks, began = sample("rovitracker_loop_lag_seconds_count"), perf_counter()
    lags_of(uvloop.new_event_loop, lambda: compute(0.13), lambda: compute(0.13), gap_s=0.2)
    seen = {above: counted("rovitracker_loop_busy_seconds", above) - before[above] for above in LAG_BUCKETS}
    assert (seen[0.1], seen[0.15]) == (2, 0)
    ticked = sample("rovitracker_loop_lag_seconds_count") - ticks
    assert 10 < ticked <= (perf_counter() - began) / INTERVAL_S * 1.2
    assert sample("rovitracker_loop_busy_longest_seconds") > 0.115


def test_a_long_block_is_one_line_in_the_log_and_so_are_many() -> None:
    with capture_logs() as logs:
        lags_of(uvloop.new_event_loop, *[lambda: compute(WARN_ABOVE_S + 0.03)] * 3)
    [line] = [each for each in logs if each["event"] == "event loop blocked"]
    assert line["log_level"] == "warning"
    assert line["lag_ms"] >= WARN_ABOVE_S * 1000
    assert 0 <= line["busy_ms"] <= line["lag_ms"]


async def test_a_later_line_says_how_many_were_kept_silent() -> None:
    """Told the time, as the machine's own would make lines by chance."""
    watchdog = Watchdog(asyncio.get_running_loop(), LagMeasurements())
    short, long = WARN_ABOVE_S * 0.9, WARN_ABOVE_S * 1.2
    with capture_logs() as logs:
        for at, lag_s in ((100, long), (101, long), (102, short), (109, long), (111, long), (122, long)):
            watchdog._note(lag_s, lag_s / 2, at)
    assert [(each["lag_ms"], each["busy_ms"], each["unsaid"]) for each in logs] == [
        (120, 60, 0),
        (120, 60, 2),
        (120, 60, 0),
    ]


def test_watching_ends_with_the_service() -> None:
    async def run() -> int:
        with watched_loop():
            await asyncio.sleep(3 * INTERVAL_S)
        before = sample("rovitracker_loop_lag_seconds_count")
        await asyncio.sleep(1.2)
        return int(sample("rovitracker_loop_lag_seconds_count") - before)

    assert uvloop.run(run()) == 0


def test_watching_costs_less_than_a_thousandth_of_a_core() -> None:
    """A second has a hundred ticks, and two in which what they counted is handed on."""

    async def run() -> tuple[float, float, float]:
        loop = asyncio.get_running_loop()
        watchdog = Watchdog(loop, LagMeasurements())
        watchdog.start()

        def tick() -> None:
            watchdog._tick()
            assert watchdog._handle
            watchdog._handle.cancel()  # that is counted too

        def least() -> None:
            perf_counter()
            thread_time()
            loop.call_later(1, least).cancel()

        return seconds_of(tick), seconds_of(watchdog.stop), seconds_of(least)

    tick_s, hand_on_s, least_s = uvloop.run(run())
    assert tick_s / INTERVAL_S + hand_on_s / HAND_ON_EVERY_S < 0.001
    assert tick_s < 3 * least_s  # its timer and its clocks are most of it


def seconds_of(work: Callable[[], None]) -> float:
    """Processor time of one, as the median of 21 turns of 200."""
    costs = []
    for _ in range(21):
        before = thread_time()
        for _ in range(200):
            work()
        costs.append((thread_time() - before) / 200)
    return median(costs)
