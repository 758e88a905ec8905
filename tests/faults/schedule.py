"""A schedule: a seed, a fault, and the moments at which it strikes while the workload runs; and what came of it."""

import asyncio
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic_ns

from tests.faults import (
    faults_of_postgres,
    faults_of_processes,
    faults_of_secrets,
    faults_of_statements,
    faults_of_valkey,
    faults_of_wires,
)
from tests.faults.callers import Callers
from tests.faults.door import Door
from tests.faults.fault import BrokenPromiseError, Fault, NotShownError, nothing
from tests.faults.final_state import compare
from tests.faults.ground import Ground
from tests.faults.journal import Journal, slowest_s
from tests.faults.judge import Verdict, judge, judge_by_rules
from tests.faults.registers import entries_of
from tests.faults.servers import NotBackError
from tests.faults.supplies import supplies_for
from tests.faults.workload import Workload

CALM = Fault("calm", "none", nothing, times=0)
FAULTS: tuple[Fault, ...] = (
    CALM,
    *faults_of_processes.FAULTS,
    *faults_of_secrets.FAULTS,
    *faults_of_valkey.FAULTS,
    *faults_of_postgres.FAULTS,
    *faults_of_statements.FAULTS,
    *faults_of_wires.FAULTS,
)
MOST_S, BACK_WITHIN_S = (
    3.5,
    5.0,
)  # of an answer, and until an instance is ready again, as docs/guarantees.md says

_PATIENCE_S = 12.0


@dataclass(frozen=True, slots=True)
class Plan:
    """seconds: in which lives begin, beside the time that strikes take. at_once: lives."""

    seconds: float
    at_once: int


@dataclass(slots=True)
class Result:
    """The outcome of a schedule. back_s: until both instances were ready after a strike, at most.

    not_shown: why, if so. broken: what did not come back, which promise the striker saw broken, or how the driver failed.
    """

    fault: Fault
    seed: int
    journal: Journal = field(default_factory=Journal)
    bites: int = 0
    back_s: float = 0.0
    seconds: float = 0.0
    differences: list[str] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    not_shown: str = ""
    broken: str = ""

    @property
    def found_by(self) -> dict[str, int]:
        """How many violations each judge found; the database, and answers that no fault excuses, at last."""
        judged = {each.judge: len(each.violations) for each in self.verdicts}
        return {**judged, "database": len(self.differences), "answers": len(self.journal.faults)}

    @property
    def violations(self) -> list[str]:
        judged = [f"{each.judge}: {line}" for each in self.verdicts for line in each.violations]
        return [*judged, *self.differences, *self.journal.faults, *([self.broken] if self.broken else [])]

    @property
    def late(self) -> list[str]:
        """The stated times that were not kept. A bug that was planted is not found by them, since a busy machine is late too."""
        lines = []
        if self.slowest_s > MOST_S:
            slow = Counter(
                f"{each.verb} {each.status}" for each in self.journal.operations if each.slowness_s > MOST_S
            )
            which = ", ".join(f"{count} of {name}" for name, count in slow.most_common())
            lines.append(f"an answer took {self.slowest_s:.1f} s, at most {MOST_S}: {which}")
        if self.back_s > BACK_WITHIN_S:
            lines.append(f"the service was ready again after {self.back_s:.1f} s, at most {BACK_WITHIN_S}")
        return lines

    @property
    def undecided(self) -> list[str]:
        return [line for each in self.verdicts for line in each.undecided]

    @property
    def bit(self) -> bool:
        """Whether each strike left its trace; the calm has none to leave."""
        return self.fault.times == 0 or self.bites > 0 or bool(self.broken)

    @property
    def slowest_s(self) -> float:
        return slowest_s(self.journal.operations)


async def run_schedule(ground: Ground, fault: Fault, seed: int, plan: Plan, porcupine: Path | None) -> Result:
    """Run the workload under the fault, then compare what the database holds, and judge."""
    result = Result(fault, seed)
    began = time.monotonic()
    try:
        await _run(ground, result, _chance(f"{fault.name} {seed}"), plan)
    except NotShownError as error:
        result.not_shown = str(error)
        return result
    except (NotBackError, BrokenPromiseError) as error:
        result.broken = str(error)
        return result
    except Exception as error:  # noqa: BLE001  # no other schedule is lost with this one
        traceback.print_exception(error)
        result.broken = f"the driver itself failed: {type(error).__name__} {error}"
        return result
    result.differences = await compare(ground, result.journal, weak=fault.weak)
    entries = entries_of(result.journal, weak=fault.weak)
    result.verdicts.append(judge_by_rules(entries))
    if porcupine is not None:
        result.verdicts.append(await asyncio.to_thread(judge, porcupine, entries))
    result.seconds = time.monotonic() - began
    return result


async def _run(ground: Ground, result: Result, chance: Random, plan: Plan) -> None:
    async with AsyncExitStack() as stack:
        doors = [Door(each.port, patience_s=_PATIENCE_S) for each in ground.instances]
        for door in doors:
            stack.callback(door.close)
        callers = Callers(doors, result.journal, _chance(chance.random()), ground.secrets)
        supplies = await supplies_for(ground, _chance(chance.random()))
        stack.push_async_callback(supplies.close)
        workload = Workload(callers, supplies, _chance(chance.random()), at_once=plan.at_once)
        working = asyncio.create_task(workload.run())
        try:
            await _strike(ground, result, chance, plan.seconds, working)
        finally:
            callers.stop.set()
            await working


def _chance(seed: str | float) -> Random:
    return Random(seed)  # noqa: S311  # it must come again


async def _strike(
    ground: Ground, result: Result, chance: Random, seconds: float, working: asyncio.Task[None]
) -> None:
    """Pauses of calm before, between and after the strikes: lives begin under each, and end after it."""
    pauses = [chance.uniform(0.5, 1.5) for _ in range(result.fault.times + 1)]
    shares = [seconds * each / sum(pauses) for each in pauses]
    await _pause(shares[0], working)
    for share in shares[1:]:
        result.bites += await result.fault.strike(ground, chance)
        struck = monotonic_ns()
        await ground.until_ready()
        result.back_s = max(result.back_s, (monotonic_ns() - struck) / 1e9)
        await _pause(share, working)


async def _pause(seconds: float, working: asyncio.Task[None]) -> None:
    """Raises what ended the workload early."""
    done, _ = await asyncio.wait([working], timeout=seconds)
    if done:
        working.result()
        raise RuntimeError("the workload ended before it was told to")


def wanted(words: Sequence[str]) -> list[Fault]:
    """The faults with any of the words in their names; all of them without words."""
    return [each for each in FAULTS if not words or any(word in each.name for word in words)]
