"""Applications that ask for tokens of their own at the same time: one statement, a judgement each."""

import asyncio

from app.context import Context
from app.flows.account.change_customer import disable_customer
from app.flows.account.register_application import RegisteredApplication, register_application
from app.flows.token.issue_token import issue_token
from app.flows.token.issued_token import IssuedToken
from app.oauth.actor import COMMAND_LINE
from app.oauth.errors import OAuthError
from app.oauth.request import Credentials, TokenRequest
from app.oauth.token_string import parse, secret_digest
from tests.support.people import World
from tests.support.stores import context_through_proxy


async def robot_of(world: World) -> RegisteredApplication:
    return await register_application(
        world.context,
        COMMAND_LINE,
        name="Robot",
        company="Sitewise Rentals Ltd",
        grants=("client_credentials",),
        customer_id=world.member.customer_id,
    )


async def issue_to(context: Context, robot: RegisteredApplication) -> IssuedToken:
    secret = secret_digest(robot.client_secret or "")
    credentials = Credentials(str(robot.client.id), secret, "client_secret_post")
    return await issue_token(
        context, TokenRequest("client_credentials", credentials, None, None, {}), "127.0.0.1"
    )


async def tokens_of(world: World, *robots: RegisteredApplication) -> set[object]:
    rows = await world.context.database.rows(
        "SELECT id FROM strict_token WHERE application_id = ANY($1)", [robot.client.id for robot in robots]
    )
    return {row["id"] for row in rows}


async def test_one_that_is_refused_takes_no_other_of_its_batch_along(world: World) -> None:
    """R-4: the statement says how many it inserted, and each looks for its own where that is not all."""
    context = world.context
    disabled = await World.make(context)
    robots = [await robot_of(world), await robot_of(disabled), await robot_of(world)]
    await disable_customer(context, COMMAND_LINE, disabled.member.email)
    first, refused, last = await asyncio.gather(
        *(issue_to(context, robot) for robot in robots), return_exceptions=True
    )
    assert isinstance(refused, OAuthError)
    assert refused.code == "unauthorized_client"
    issued = [parse(each.text) for each in (first, last) if not isinstance(each, BaseException)]
    assert await tokens_of(world, *robots) == {token.id for token in issued if token}
    assert len(issued) == 2


async def test_a_crowd_with_one_that_is_refused_shares_the_looks_too(world: World, database_url: str) -> None:
    """A suspended application, which may ask as often as it likes, must not make each of the others ask alone."""
    disabled = await World.make(world.context)
    robot, refused = await robot_of(world), await robot_of(disabled)
    await disable_customer(world.context, COMMAND_LINE, disabled.member.email)
    async with context_through_proxy(world.context, database_url) as (context, proxy):
        for each in (robot, refused):  # so that no statement of a new connection is counted
            await asyncio.gather(issue_to(context, each), return_exceptions=True)
        before = proxy.statements_asked()
        asking = [issue_to(context, each) for each in (*[robot] * 15, refused, *[robot] * 15)]
        answers = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(answer) for answer in answers] == [IssuedToken] * 15 + [OAuthError] + [IssuedToken] * 15
    assert proxy.statements_asked() - before <= 5


async def test_a_lost_reply_to_the_commit_still_gives_the_token(world: World, database_url: str) -> None:
    """R-4: sent again, the statement inserts nothing, and the token is found to stand."""
    robot = await robot_of(world)
    async with context_through_proxy(world.context, database_url) as (context, proxy):
        proxy.lose_reply(to=robot.client.scope[0].encode())  # no look-up before it has that
        issued = parse((await issue_to(context, robot)).text)
    assert issued is not None
    assert await tokens_of(world, robot) == {issued.id}


async def test_a_crowd_whose_first_answer_is_lost_gets_its_tokens(world: World, database_url: str) -> None:
    """R-4: the second attempt meets the rows of the first one, and is refused by their unique key."""
    robot = await robot_of(world)
    async with context_through_proxy(world.context, database_url) as (context, proxy):
        await issue_to(context, robot)
        proxy.lose_reply(to=robot.client.scope[0].encode())  # no look-up before it has that
        crowd = await asyncio.gather(*(issue_to(context, robot) for _ in range(20)))
    issued = [token.id for each in crowd if (token := parse(each.text))]
    assert len(set(issued)) == 20
    assert set(issued) < await tokens_of(world, robot)
