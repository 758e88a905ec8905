"""compose.citus.yaml laid over both others: tokens lie on workers, which come back by themselves with every token."""

from collections.abc import Iterator
from hashlib import sha256

import pytest

from tests.containers.customer import ANN, MACHINES, Customer, browser_on, exchange, register
from tests.containers.engine import images, lacking_image
from tests.containers.installation import START, WORKERS, installation
from tests.containers.test_running import wrong
from tests.support.composition import BASE, CITUS, PRODUCTION

ONCE = ("secrets", "join", "migrate")
OVER = {"development": (BASE,), "production": (BASE, PRODUCTION)}
HOLDS = """SELECT nodename FROM citus_shards JOIN run_command_on_shards('classic_token',
    $$SELECT count(*) FROM %s WHERE digest = '\\x{digest}'$$) USING (shardid) WHERE result = '1'"""


@pytest.fixture(scope="module", params=OVER)
def spread(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Customer]:
    """A customer of an installation whose tokens Citus spreads."""
    reason = lacking_image(images(CITUS))
    if reason is not None:
        pytest.skip(f"not shown: compose.citus.yaml; {reason}")
    folder = tmp_path_factory.mktemp("citus") / request.param
    with installation(f"citus-{request.param}", folder, files=(*OVER[request.param], CITUS)) as made:
        made.run(START)
        yield Customer.add(made)


def holders(customer: Customer, token: str) -> list[str]:
    """The servers that hold a token's row."""
    asked = HOLDS.format(digest=sha256(token.encode()).hexdigest())
    command = "docker compose exec -T postgres psql --no-psqlrc --no-align --tuples-only --dbname=rovitracker"
    return customer.installation.run(command, asked).split()


async def test_tokens_lie_on_one_worker_each(spread: Customer) -> None:
    for _ in range(2):
        [holder] = holders(spread, await spread.token())
        assert holder in WORKERS


async def test_introspection_knows_a_token_of_client_credentials(spread: Customer) -> None:
    client = register(
        spread.installation, "--strict --grant client_credentials --scope aemp:read --customer", ANN
    )
    asked = {"grant_type": "client_credentials", "scope": "aemp:read", **client}
    async with browser_on(spread.installation) as browser:
        token = await exchange(browser, asked)
        answers = [
            await browser.http.post("/app/oauth2/introspect", data={**client, "token": each})
            for each in (token, token[:-1])
        ]
    assert [answer.json()["active"] for answer in answers] == [True, False]
    assert len(await spread.machines(token)) == MACHINES


def test_the_steps_of_a_start_ended_well_and_doctor_finds_nothing_wrong(spread: Customer) -> None:
    for service in ONCE:
        state = spread.installation.facts(service)["State"]
        assert (state["Status"], state["ExitCode"]) == ("exited", 0), service
    assert wrong(spread.installation) == []


@pytest.mark.parametrize("killed", [*WORKERS, "postgres", "all"])
async def test_killed_servers_come_back_with_every_token(spread: Customer, killed: str) -> None:
    installation = spread.installation
    token = await spread.token()
    [holder] = holders(spread, token)
    before = installation.started(installation.lasting)
    services = installation.lasting if killed == "all" else (killed,)
    installation.kill(*services)
    installation.wait_for_recovery({service: before[service] for service in services})
    assert holders(spread, token) == [holder]
    assert len(await spread.machines(token)) == MACHINES
    assert len(await spread.machines(await spread.token())) == MACHINES


async def test_a_stop_and_a_start_of_everything_keep_every_token(spread: Customer) -> None:
    token = await spread.token()
    [holder] = holders(spread, token)
    spread.installation.run("docker compose down")
    spread.installation.run(START)
    assert holders(spread, token) == [holder]
    assert len(await spread.machines(token)) == MACHINES
    assert len(await spread.machines(await spread.token())) == MACHINES
