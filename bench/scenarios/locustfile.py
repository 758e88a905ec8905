"""locust loads this file: the users of every scenario, their options, and the verdict.

`make bench` starts it with all that its scenarios need. FullFlow also runs on a service that runs already: its accounts
are the `demo.json` of a demo run, or a list of the same objects.
"""

from argparse import Namespace
from pathlib import Path

import gevent
import orjson
from locust import User, constant_throughput, events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

from bench.scenarios.material import Account, Folder, read_accounts
from bench.scenarios.phases import SHAPES, most_users
from bench.scenarios.shapes import Shape
from bench.scenarios.supplies import Supplies
from bench.scenarios.tally import Tally
from bench.scenarios.users import (
    AempGuard,
    ClientCredentials,
    CodeExchange,
    Connecting,
    FullFlow,
    Integrator,
    Introspect,
    Mix,
    Refresh,
)

__all__ = ["AempGuard", "ClientCredentials", "CodeExchange", "FullFlow", "Introspect", "Mix", "Refresh"]

_DEMO_CALLBACK = "/app/demo/callback"
_MOST_SHARING = 10  # live tokens a customer and application; more users would end each other's

_tally = Tally()


@events.init_command_line_parser.add_listener
def _add_options(parser: LocustArgumentParser) -> None:
    add = parser.add_argument
    add("--accounts", metavar="FILE", help="the demo.json of a demo run, or a list of such objects")
    add("--material", metavar="FOLDER", help="what make bench prepared; figures and answers are left there")
    add("--rate", type=float, help="tasks a second of all users together; without it each asks on at once")
    add("--warm-up", type=float, default=0.0, help="seconds before the measured ones")
    add("--measured", type=float, help="seconds after which the run ends; --run-time knows whole ones only")
    add("--shape", choices=tuple(SHAPES), help="of the load over the measured seconds")


@events.init.add_listener
def _prepare(environment: Environment, **_rest: object) -> None:
    options = environment.parsed_options or Namespace()
    folder = Folder(Path(options.material)) if options.material else None
    users = options.num_users or 1
    accounts = _read_accounts(options, folder, environment)
    Integrator.supplies = Supplies(accounts, folder)
    Integrator.apart_s = options.warm_up / 2
    if options.rate:
        _pace(options.rate / users)
    if options.shape:
        times = {"warm_up_s": options.warm_up, "seconds": options.measured}
        environment.shape_class = Shape(options.shape, users, **times, tally=_tally)
    environment.events.request.add_listener(_tally.note)


@events.test_start.add_listener
def _begin_after_warm_up(environment: Environment, **_rest: object) -> None:
    def begin() -> None:
        environment.stats.reset_all()
        _tally.begin()

    options = environment.parsed_options or Namespace()
    gevent.spawn_later(options.warm_up, begin)
    if options.measured and not options.shape and environment.runner:  # a shape ends by itself
        gevent.spawn_later(options.warm_up + options.measured, environment.runner.quit)


@events.test_stopping.add_listener
def _end(**_rest: object) -> None:
    _tally.end()


@events.quitting.add_listener
def _judge(environment: Environment, **_rest: object) -> None:
    """A run that left out a part of the flow has shown nothing, however fast it was."""
    supplies = Integrator.supplies
    supplies.close()
    expected = {part for user in environment.user_classes for part in getattr(user, "parts", ())}
    missing = sorted(expected - _tally.answered.keys())
    failed = _tally.failed.total()
    if failed or missing:
        environment.process_exit_code = 1
        print(f"{failed} failed request(s); never answered: {', '.join(missing) or 'none'}")
    if supplies.folder is not None:
        used_up = supplies.codes is not None and supplies.codes.used_up
        figures = {**_tally.figures(), "missing": missing, "ended": "used up" if used_up else "time"}
        supplies.folder.figures.write_bytes(orjson.dumps(figures))


def _read_accounts(options: Namespace, folder: Folder | None, environment: Environment) -> list[Account]:
    if not any(issubclass(user, Connecting) for user in environment.user_classes):
        return []
    file = Path(options.accounts) if options.accounts else folder.accounts if folder else None
    if file is None:
        raise SystemExit("--accounts is missing: customers and applications that connect")
    accounts = read_accounts(file, callback=f"{environment.host}{_DEMO_CALLBACK}")
    if most_users(options.shape, options.num_users or 1) > _MOST_SHARING * len(accounts):
        raise SystemExit(f"{len(accounts)} account(s) carry at most {_MOST_SHARING * len(accounts)} users")
    return accounts


def _pace(rate: float) -> None:
    """The open model, as far as locust has one: a user whose answer is late begins its next task late."""
    pace = constant_throughput(rate)

    def wait_time(user: User) -> float:
        wait_s: float = pace(user)
        _tally.pace(wait_s)
        return wait_s

    Integrator.wait_time = wait_time
    Integrator.apart_s = max(Integrator.apart_s, 1 / rate)
