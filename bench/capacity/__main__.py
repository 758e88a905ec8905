"""Write docs/capacity.md from bench/results: python -m bench.capacity. It ends with 1 where the model misses a run."""

import sys
from pathlib import Path

from bench.capacity.page import page_of
from bench.capacity.results import read

PAGE = Path(__file__).parents[2] / "docs" / "capacity.md"
MOST_ERROR = 0.15  # of the model at any run, either way


def main() -> int:
    machine, measured, checks = read()
    PAGE.write_text(page_of(machine, measured, checks))
    missed = [check for check in checks if abs(check.error) > MOST_ERROR]
    for check in missed:
        sys.stderr.write(
            f"capacity: at {check.share} % of the peak the model says {check.modelled_ms:.1f} ms, and "
            f"{check.measured_ms:.1f} ms were measured: fit it anew before you believe {PAGE.name}\n"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
