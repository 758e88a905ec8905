"""`make check-soak`: two processes under load for minutes, one of which remembers nothing; they answer alike, and neither grows."""

import argparse
import asyncio
import sys
from pathlib import Path

from rich.console import Console

from app.logs import configure_logs
from app.storage.schema.migrations import apply_migrations, read_migrations
from bench.ground import program
from bench.ground.context import opened
from bench.ground.lines import in_lines
from bench.ground.service import Service
from bench.ground.serving import Private, free_port, private_servers
from tests.soak.customers import House
from tests.soak.processes import Pair, serving, two_services
from tests.soak.report import document, print_findings, progressing
from tests.soak.run import ENOUGH_SAMPLES, LONG_ENOUGH_S, Findings, Plan, soak

_EPILOG = f"""
examples, each behind make check-soak SOAK="...":
  --minutes 30     for longer
  --minutes 1      for a look: below {LONG_ENOUGH_S // 60} minutes growth is not judged
  --seed 7         other work by chance

It ends with status 1 when a sample differs, something grows, or fewer than {ENOUGH_SAMPLES:,} samples were compared.
"""


def main() -> int:
    options = _read_arguments()
    configure_logs("error", sys.stderr)  # of the verbs that this process runs; the services have files

    def work() -> int:
        plan = Plan(seconds=60 * options.minutes, seed=options.seed)
        with private_servers("soak") as servers:
            asyncio.run(apply_migrations(servers.database_url, read_migrations()))
            services = two_services(servers.database_url, servers.redis_url(), servers.data_dir)
            with serving(services, servers.folder) as processes:
                findings = asyncio.run(_soak(servers, processes, plan))
        console = Console(width=None if sys.stdout.isatty() else 200)
        print_findings(findings, console)
        options.out.mkdir(parents=True, exist_ok=True)
        result = options.out / "soak.json"
        result.write_text(in_lines(document(findings)))
        console.print(f"every reading: {result}", markup=False, highlight=False, soft_wrap=True)
        return 0 if findings.met else 1

    return program.end_well("check-soak", work)


async def _soak(servers: Private, processes: Pair, plan: Plan) -> Findings:
    service = Service(servers.data_dir, free_port(), {"DATA_DIR": str(servers.data_dir)})
    database_url, redis_url = servers.database_url, servers.redis_url()
    with progressing(plan.seconds) as tell:
        async with opened(service, database_url, redis_url) as context:
            return await soak(House(context, processes, database_url, redis_url), plan, tell)


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make check-soak",
        description=(__doc__ or "").partition(": ")[2],
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    minutes = LONG_ENOUGH_S // 60
    add("--minutes", type=program.positive, default=minutes, help=f"how long it takes ({minutes})")
    add("--seed", type=int, default=1, help="of the work that is chosen by chance (1)")
    add("--out", type=Path, default=program.OUT, help="folder of soak.json (bench/out)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
