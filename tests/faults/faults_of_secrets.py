"""What operators do while everybody works: a client secret is rotated, and its former one ends."""

import asyncio
import json
import subprocess
import sys
from random import Random
from time import time

import httpx2

from bench.ground.codes import Application
from tests.faults.fault import BrokenPromiseError, Fault
from tests.faults.ground import Ground

_OVERLAP_S = 3
_EARLY_S = 1.0  # before its end, callers send the former secret no more: a request takes its time
_PROMISED_S = 1.0
_ASKED = 8  # of each instance, over connections of their own, so that its workers all have their turn
_FORMER_END = """
SELECT extract(epoch FROM expires_at)::float8 FROM client_secret WHERE application_id = $1 AND expires_at IS NOT NULL
"""


async def rotate(ground: Ground, chance: Random) -> int:
    """R-20, R-107: callers use either secret while both are good. Count the refusals of the former one after its end.

    A refusal before is a 401 that the journal takes for a fault.
    Raises BrokenPromiseError when the former one is good for longer than a second after its end.
    """
    application = chance.choice((*ground.classic, *ground.strict))
    former = ground.secrets.newest(application)
    new = await asyncio.to_thread(_rotate, ground, application)
    ground.secrets.add(application, new)
    async with ground.owner() as owner:
        ends_at = float(await owner.fetchval(_FORMER_END, application.client_id))
    await asyncio.sleep(ends_at - _EARLY_S - time())
    ground.secrets.remove(application, former)
    await asyncio.sleep(ends_at + _PROMISED_S - time())
    return sum([await _refusals(each.url, application, former) for each in ground.instances])


def _rotate(ground: Ground, application: Application) -> str:
    """The new secret, as the verb prints it."""
    instance = ground.instances[0]
    verb = ("app", "rotate-secret", str(application.client_id), "--overlap", f"{_OVERLAP_S}s", "--json")
    ran = subprocess.run(
        [sys.executable, "-m", "app", *verb],
        cwd=instance.code,
        env=dict(instance.environment),
        capture_output=True,
        check=True,
        timeout=60,
    )
    return str(json.loads(ran.stdout)["client_secret"])


async def _refusals(url: str, application: Application, secret: str) -> int:
    fields = {"client_id": str(application.client_id), "client_secret": secret, "token": "rovi_at_x"}
    count = 0
    for _ in range(_ASKED):
        async with httpx2.AsyncClient(timeout=10) as client:
            answer = await client.post(f"{url}/app/oauth2/introspect", data=fields)
        if answer.status_code == 200:
            raise BrokenPromiseError(f"{url} takes a secret {_PROMISED_S:.0f} s after its end")
        count += answer.status_code == 401
    return count


FAULTS = (Fault("secret rotated", "refusals of secrets that ended", rotate),)
