"""`make bench-profile`: where the microseconds of the token path go, a flame graph for each kind of request."""

import argparse
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Thread

from bench.ground import program
from bench.ground.servers import service_serving
from bench.ground.serving import ServingError
from bench.ground.token_path import Ground, exchanging, introspecting, issuing, laid_out
from bench.load.generator import generate, load_of
from bench.load.records import read_requests
from bench.load.rounds import Contender, Plan

_MOST_A_SECOND = 8000
_SETTLED_S = 1.0
_RATE = 250  # samples a second; more and the sampler is what is seen

_REQUESTS: dict[str, Callable[..., Contender]] = {
    "exchange": exchanging,
    "client": issuing,
    "introspect": introspecting,
}


def main() -> int:
    return program.end_well("bench-profile", partial(_draw, _read_arguments()))


def _draw(options: argparse.Namespace) -> int:
    plan = Plan(1, options.seconds, _SETTLED_S, 32)
    options.out.mkdir(parents=True, exist_ok=True)
    with (
        laid_out("profile", plan, workers=1, tokens=2000) as ground,
        service_serving(ground.service, 1, ground.log("service")) as pid,
    ):
        pictures = [_picture(name, ground, pid, options) for name in options.only]
    print(*pictures, sep="\n")
    return 0


def _picture(name: str, ground: Ground, pid: int, options: argparse.Namespace) -> Path:
    """The load goes on while py-spy looks at the service from outside."""
    print(f"looking at {name} for {options.seconds:g} s", file=sys.stderr, flush=True)
    contender = _REQUESTS[name](ground, name, ground.service.url, pid, ground.service_stores)
    requests = ground.folder / "requests"
    contender.write_requests(requests, int(_MOST_A_SECOND * (options.seconds + 2 * _SETTLED_S)))
    seconds = options.seconds + 2 * _SETTLED_S
    load = load_of(contender.url, read_requests(requests), seconds=seconds, once=contender.once)
    loading = Thread(target=generate, args=(load,))
    loading.start()
    target: Path = options.out / f"flames_{name}.svg"
    # Called by its name and from where its picture goes: it writes its command into it, for anybody to read.
    sampling = (
        f"--pid {pid} --duration {options.seconds:.0f} --rate {_RATE} --gil --function --format flamegraph"
    )
    command = ["py-spy", "record", *sampling.split(), "--output", target.name]
    looked = subprocess.run(
        command,
        executable=Path(sys.executable).with_name("py-spy"),
        cwd=options.out,
        capture_output=True,
        text=True,
        check=False,
    )
    loading.join()
    if looked.returncode != 0:
        raise ServingError(f"py-spy sees nothing: {looked.stderr.strip()}")
    return target


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.flames", description=__doc__)
    add = parser.add_argument
    add("--seconds", type=program.positive, default=10.0, help="to look at each kind of request (10)")
    add("--only", nargs="+", choices=_REQUESTS, default=list(_REQUESTS), help="kinds of request (all)")
    add("--out", type=Path, default=program.OUT, help="folder of the pictures (bench/out)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
