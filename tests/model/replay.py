"""Whether a model could have behaved as the real service did: spin judges sequences of requests and answers.

A model tells of each request and each answer where TRACE is defined. A process beside it takes what it tells in the order
of a trace. Spin searches whether that process comes to its end, with the model as the trace left it. What the service does
between a request and its answer may interleave as the model allows: only the order of what callers saw is given.
"""

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.model.search import searched, translate

FOLDER = Path(__file__).parent
NOBODY = 2  # under this number, what happens to the model and is no request
RESTORED, TICK = (NOBODY, "restore()"), (NOBODY, "tick()")

_COMPILED = ("-DSAFETY", "-DNOCLAIM", "-DPRINTF")
# A trace that does not fit ends in a block, which is no error. -c0: all traces are judged.
_OPTIONS = ("-m200000", "-E", "-c0", "-n")


@dataclass(frozen=True, slots=True)
class Trace:
    """events: a caller's number, 0 or 1, and ASKS or the model's word for the answer, in the order they were seen.

    RESTORED and TICK are among them, which nobody asked for.

    left: a condition on the model's variables, as the database has it after the last answer.
    """

    events: tuple[tuple[int, str], ...]
    left: str


def possible(name: str, traces: Sequence[Trace], **sizes: int) -> list[bool]:
    """Whether a run of the model shows each of the traces. name: of the model. sizes: more of its definitions.

    Raises NotHereError without spin or a C compiler.
    """
    with tempfile.TemporaryDirectory() as folder:
        translate(_program((FOLDER / f"{name}.pml").read_text(), traces, sizes), folder)
        said = searched(folder, _COMPILED, _OPTIONS)
    shown = {int(number) for number in re.findall(r"shown (\d+)\.", said)}
    return [number in shown for number in range(len(traces))]


def _program(model: str, traces: Sequence[Trace], sizes: Mapping[str, int]) -> str:
    most = max(len(trace.events) for trace in traces)
    defined = {"TRACE": 1, "TRIES": most, "MOST": 2 * most, **sizes}
    heads = "".join(f"#define {word} {value}\n" for word, value in defined.items())
    options = "\n".join(_option(number, trace) for number, trace in enumerate(traces))
    return f"{heads}{model}\nactive proctype Trace() {{\n    if\n{options}\n    fi\n}}\n"


def _option(number: int, trace: Trace) -> str:
    steps = [what if caller == NOBODY else f"seen?{caller},{what}" for caller, what in trace.events]
    return f'    :: true -> {"; ".join(steps)}; ({trace.left}) -> printf("shown {number}.\\n")'
