"""Pages of chosen machines beside pages of the whole fleet: what the second lock and the choice cost a reader."""

import math
import random
from collections.abc import Sequence
from typing import Any

import uvloop

from app.aemp.address.paging import PAGE_SIZE
from app.context import Context
from app.flows.account.register_application import register_application
from app.flows.approval.terms import Terms, change_terms, read_terms
from app.oauth.actor import COMMAND_LINE
from bench.load.rounds import Contender, Plan
from bench.size.aemp.accounts import Account, keys_of
from bench.size.aemp.figures import Fleet
from bench.size.aemp.ground import FleetGround
from bench.size.aemp.pages import ask_fleet_page, check_fleet_page, contender, shows
from bench.size.comparison import COST, Result, compare
from bench.size.ground import Served

_FEW = 50
_BAR = 1.1  # of the processor time of a page of the whole fleet


def measure_shares(ground: FleetGround, served: Served, plan: Plan) -> list[Result]:
    """The last machine of the fleet is left out of the one choice, and the other has fifty from all over it."""
    fleet = ground.large
    everywhere = range(1, fleet.machines + 1, max(1, fleet.machines // _FEW))[:_FEW]
    choices = (("all but one machine", range(1, fleet.machines)), ("fifty machines", everywhere))
    accounts = uvloop.run(_choose(ground, [numbers for _, numbers in choices]))
    whole = contender(
        served,
        "the whole fleet",
        fleet,
        ground.token(ground.accounts.large),
        ask=ask_fleet_page,
        check=check_fleet_page,
    )
    results = []
    for (name, numbers), account in zip(choices, accounts, strict=True):
        chosen = _chosen(ground, served, name, numbers, account)
        results.append(compare(f"page of {name}", ground, [whole, chosen], plan, by=COST, bar=_BAR))
    return results


def _chosen(
    ground: FleetGround, served: Served, name: str, numbers: Sequence[int], account: Account
) -> Contender:
    last_page = math.ceil(len(numbers) / PAGE_SIZE)

    def ask(_fleet: Fleet) -> str:
        return f"/api/v2/Fleet/{random.randint(1, last_page)}"  # noqa: S311  # spread, not secrecy

    def check(fleet: Fleet, request: bytes, document: Any) -> bool:
        return shows(fleet, numbers, request, document)

    return contender(served, name, account.fleet, ground.token(account), ask=ask, check=check)


async def _choose(ground: FleetGround, choices: Sequence[Sequence[int]]) -> list[Account]:
    """An application for each choice, which reads these machines of the large fleet."""
    async with ground.context() as context:
        keys = await keys_of(context, ground.large)
        return [
            await _connect(context, ground.large, [keys[number - 1] for number in numbers])
            for numbers in choices
        ]


async def _connect(context: Context, fleet: Fleet, keys: Sequence[int]) -> Account:
    registered = await register_application(
        context,
        COMMAND_LINE,
        name=f"{len(keys)} machines",
        company="Bench Ltd",
        grants=("client_credentials",),
        customer_id=fleet.customer_id,
    )
    parties = fleet.customer_id, registered.client.id
    _, version = await read_terms(context, *parties)
    await change_terms(context, COMMAND_LINE, *parties, Terms(frozenset(keys)), version=version)
    return Account(fleet, str(registered.client.id), registered.client_secret or "")
