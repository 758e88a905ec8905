"""Java's own HTTP client as it comes, which offers h2c in every request: from Java where there is one, its bytes anywhere."""

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.aemp.model.times import format_time
from app.context import Context
from app.flows.account.register_application import register_application
from app.oauth.actor import COMMAND_LINE
from tests.door.target import Target, running_target
from tests.support.history import THEN, add, figures
from tests.support.people import World
from tests.support.raw import read_answer
from tests.support.server import free_port

JAVA = shutil.which("java")
FOLDER = Path(__file__).parent / "java"
# Requests as the client of Java 17 wrote them. A part that differs from one run to the next has a name in braces.
KEPT = [
    request.removesuffix("\n").partition("\n\n")
    for request in (FOLDER / "requests.http").read_text().split("###\n")
]
_OF_ITS_VERSION = re.compile(rb"(?m)^(User-Agent|HTTP2-Settings): .*\r\n")


@dataclass(frozen=True, slots=True)
class Gateway:
    """An application that writes what a customer's machine P1 tells."""

    world: World
    client_id: str
    client_secret: str

    def values(self, port: int, token: str) -> dict[str, str]:
        return {
            "port": str(port),
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "at": format_time(THEN),
            "token": token,
        }


@pytest.fixture
async def gateway(context: Context, world: World) -> Gateway:
    await add(context, world.member.customer_id, "P1")
    registered = await register_application(
        context,
        COMMAND_LINE,
        name="Gateway",
        company="RoviTracker",
        grants=("client_credentials",),
        scope=("telemetry:write",),
        customer_id=world.member.customer_id,
    )
    return Gateway(world, str(registered.client.id), str(registered.client_secret))


@pytest.fixture(scope="module")
async def target(
    database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Target]:
    async with running_target(database_url, redis_url, tmp_path_factory.mktemp("java")) as target:
        yield target


def filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def spelled(head: str, body: str, values: dict[str, str]) -> tuple[bytes, bytes]:
    """Head and body of a kept request."""
    content = filled(body, values).encode()
    lines = filled(head, {**values, "length": str(len(content))}).replace("\n", "\r\n")
    return lines.encode() + b"\r\n\r\n", content


@asynccontextmanager
async def noting(port: int) -> AsyncIterator[tuple[int, bytearray]]:
    """A port that leads to another one, and what a client said on it."""
    said = bytearray()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward_reader, onward = await asyncio.open_connection("127.0.0.1", port)

        async def back() -> None:
            while data := await onward_reader.read(65_536):
                writer.write(data)

        answering = asyncio.create_task(back())
        try:
            while data := await reader.read(65_536):
                said.extend(data)
                onward.write(data)
        finally:
            answering.cancel()
            onward.close()
            writer.close()

    async with await asyncio.start_server(carry, "127.0.0.1", own := free_port()):
        yield own, said


async def assert_answers(answers: list[tuple[int, str]], gateway: Gateway) -> None:
    """Every body was read, and did what it says."""
    assert [status for status, _ in answers] == [200] * len(KEPT)
    documents = [json.loads(body or "{}") for _, body in answers]
    assert documents[1]["active"] is True
    assert documents[2] == {"accepted": 1, "stored": 1, "rejected": []}
    assert documents[4] == {"active": False}
    assert await figures(gateway.world.context, gateway.world.member.customer_id, 1) == [(THEN, 7)]


@pytest.mark.skipif(  # a bare machine has no Java; its exact bytes are sent in any case
    JAVA is None,
    reason="not shown: that Java's client works and still sends the bytes kept; install Debian's default-jre",
)
async def test_javas_client_is_served_as_it_comes(target: Target, gateway: Gateway) -> None:
    """R-77: it asks for a token, about it, writes readings, and revokes it; and its bytes are those kept."""
    async with noting(target.port) as (port, said):
        process = await asyncio.create_subprocess_exec(
            str(JAVA),
            str(FOLDER / "DefaultClient.java"),
            f"http://localhost:{port}",
            gateway.client_id,
            gateway.client_secret,
            format_time(THEN),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    answers = [(int(line[:3]), line[4:]) for line in out.decode().splitlines()]
    await assert_answers(answers, gateway)
    values = gateway.values(port, json.loads(answers[0][1])["access_token"])
    kept = b"".join(part for head, _, body in KEPT for part in spelled(head, body, values))
    assert _OF_ITS_VERSION.sub(b"", bytes(said)) == _OF_ITS_VERSION.sub(b"", kept)


@pytest.mark.parametrize("apart", [False, True])
async def test_the_bytes_of_javas_client_are_answered(
    target: Target,
    gateway: Gateway,
    apart: bool,  # noqa: FBT001  # a column of the table above
) -> None:
    """R-77: head and body in one segment or in two, as Java sends them now and then."""
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    answers: list[tuple[int, str]] = []
    for head, _, body in KEPT:
        token = json.loads(answers[0][1])["access_token"] if answers else ""
        parts = spelled(head, body, gateway.values(target.port, token))
        for part in parts if apart else (b"".join(parts),):
            writer.write(part)
            await asyncio.sleep(0.05)
        answer = await asyncio.wait_for(read_answer(reader), 10)
        answers.append((answer.status, answer.body.decode()))
    writer.close()
    await writer.wait_closed()
    await assert_answers(answers, gateway)
