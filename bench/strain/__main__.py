"""`make bench-strain`: honest callers beside forged tokens, wrong passwords, and three times more than a slow store takes."""

import argparse
import sys
from functools import partial

from bench.ground import program
from bench.ground.token_path import laid_out
from bench.strain.flood import measure_floods
from bench.strain.guesses import measure_guesses
from bench.strain.overload import measure_overload
from bench.strain.price import measure_price
from bench.strain.report import Result, document, every_round, render

SCENARIOS = ("introspect", "cached", "guard", "price", "overload", "guesses")

_MOST_GUESSERS = 250  # their addresses differ in the last byte

_EPILOG = """
examples, each behind make bench-strain BENCH="...":
  --only cached --rounds 5          one flood
  --only price                      the processor time of a refusal
  --only overload --overload-s 10   the overload alone, and shorter
  --only guesses --guesses-s 20     sign-ins beside wrong passwords, in longer rounds
"""


def main() -> int:
    options = _read_arguments()
    return program.run("strain", options.out, partial(_measure, options))


def _measure(options: argparse.Namespace) -> program.Findings:
    wanted = frozenset(options.only)
    with laid_out(
        "strain", program.plan_of(options), workers=options.workers, tokens=options.tokens
    ) as ground:
        results: list[Result] = [*measure_floods(ground, wanted, options.share / 100)]
        if "price" in wanted:
            results.append(measure_price(ground))
        if "overload" in wanted:
            results.append(measure_overload(ground, options.overload_s))
        if "guesses" in wanted:
            results.append(measure_guesses(ground, options.guesses_s, options.guessers))
    met = all(result.met for result in results)
    return program.Findings(render(results), document(results), met, every_round(results))


def _read_arguments() -> argparse.Namespace:
    parser = program.make_parser("strain", __doc__, _EPILOG)
    add = parser.add_argument
    program.add_plan(
        parser,
        rounds=(7, "pairs of rounds of each flood, with it and without"),
        seconds=(4, "of a round"),
        connections=(32, "by which the peak is measured"),
    )
    add(
        "--share",
        type=float,
        default=20,
        help="percent of the peak that the honest offer, and the forger too (20)",
    )
    add("--overload-s", type=program.count, default=30, help="seconds of the overload (30)")
    add("--guesses-s", type=program.count, default=8, help="seconds of a round of wrong passwords (8)")
    add("--guessers", type=_addresses, default=50, help="addresses that they come from (50)")
    add("--workers", type=program.count, default=program.WORKERS, help="processes of the service")
    add("--tokens", type=program.count, default=10_000, help="that are introspected in turn (10000)")
    add("--only", nargs="+", choices=SCENARIOS, default=SCENARIOS, help="what to measure (all)")
    program.add_out(parser)
    return parser.parse_args()


def _addresses(text: str) -> int:
    number = program.count(text)
    if number > _MOST_GUESSERS:
        raise argparse.ArgumentTypeError(f"{_MOST_GUESSERS} at most")
    return number


if __name__ == "__main__":
    sys.exit(main())
