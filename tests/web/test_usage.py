"""The usage of an application, as its owners see it and download it."""

import csv
from uuid import UUID

from app.aemp.address.read_kind import ReadKind
from app.context import Context
from app.flows.developer.refused_requests import write_refused
from app.oauth.token_string import new_id
from app.storage.token.reads import Count, ReadKey, upsert_reads
from tests.support.browser import Browser
from tests.support.owners import register_own
from tests.web.reading import found, words_of
from tests.web.test_own_applications import client_id_of


async def test_reads_of_all_customers_and_refusals_are_told(context: Context, owner: Browser) -> None:
    client_id = client_id_of(await register_own(owner))
    now = context.now()
    customers = [new_id(), new_id()]
    for customer_id in customers:
        await context.database.count("INSERT INTO customer (id, name) VALUES ($1, 'Hillside')", customer_id)
        await context.database.count(
            "INSERT INTO connection (customer_id, application_id, approved_at, route) VALUES ($1, $2::uuid, clock_timestamp(), 'code')",
            customer_id,
            client_id,
        )
    counts = {
        ReadKey(customer_id, UUID(client_id), machine, now.date(), ReadKind.FLEET_PAGE, 1): Count(reads, now)
        for customer_id in customers
        for machine, reads in ((0, 21), (7, 500))
    }
    await upsert_reads(context.database, counts)
    await owner.get(f"/app/oauth2/authorize?client_id={client_id}&redirect_uri=https://else.example/")
    await write_refused(context)
    page = await owner.get(f"/app/developer/{client_id}/usage")
    assert "1,042 reads from" in words_of(page)
    assert len(found(page, "//*[@class='reads-bar']")) == 1
    file = await owner.get(f"/app/developer/{client_id}/usage.csv")
    assert file.headers["content-disposition"].startswith("attachment")
    _, *rows = csv.reader(file.text.splitlines())
    assert [row[1:] for row in rows] == [["fleet_page", "1042"], [rows[1][1], "1"]]
    assert rows[1][1].startswith("refused: ")


async def test_nothing_was_read_yet(owner: Browser) -> None:
    client_id = client_id_of(await register_own(owner))
    assert "It read nothing since" in words_of(await owner.get(f"/app/developer/{client_id}/usage"))
    assert len((await owner.get(f"/app/developer/{client_id}/usage.csv")).text.splitlines()) == 1
