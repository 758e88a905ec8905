"""From nothing to the first machines of a test customer, as somebody walks it who never heard of us."""

from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from tests.pages.conftest import Visit
from tests.pages.service import Service
from tests.pages.tour_owners import LOGO, follow_mailed_link
from tests.support.people import PASSWORD

MOST_CLICKS, MOST_FIELDS = 12, 5


class Counted:
    """A page that counts what a person does on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = self.fields = 0

    async def click(self, role: Any, name: str) -> None:
        self.clicks += 1
        await self.page.get_by_role(role, name=name, exact=True).first.click()

    async def fill(self, label: str, value: str) -> None:
        self.fields += 1
        await self.page.get_by_label(label, exact=True).fill(value)


@pytest.mark.parametrize("script", [False, True], ids=["no_script", "script"])
async def test_newcomer_reads_the_first_machines_without_asking_anybody(
    visit: Visit,
    service: Service,
    script: bool,  # noqa: FBT001  # of the table above
) -> None:
    """With company and logo, by at most 12 clicks and 5 fields."""
    visitor = await visit(java_script_enabled=script)
    person = Counted(visitor.page)
    await visitor.page.goto(service.url("/"))
    await person.click("link", "Register your application")
    await follow_mailed_link(visitor, f"olga.{uuid4().hex[:12]}@sitewise.example")
    person.fields, person.clicks = 1, person.clicks + 3  # the address, its button, the mailbox, the link
    await person.fill("Choose a password", PASSWORD)
    await person.click("button", "Sign up")
    await person.fill("Company", "Sitewise Rentals Ltd")
    await person.fill("Name of the application", "Sitewise")
    person.fields += 1
    await visitor.page.get_by_label("Logo").set_input_files(LOGO)
    await person.click("button", "Register")
    await expect(visitor.page.get_by_text("rovi_cs_").first).to_be_visible()
    await person.click("link", "Try it now")
    await expect(visitor.page.get_by_role("heading", level=1)).to_contain_text("Sitewise")
    await person.click("button", "Approve")
    await person.click("button", "Send the token request")
    await expect(visitor.page.get_by_text("rovi_at_c").first).to_be_visible()
    await person.click("button", "Send the fleet request")
    await expect(visitor.page.get_by_role("table").get_by_role("row")).to_have_count(6)
    assert person.clicks <= MOST_CLICKS
    assert person.fields <= MOST_FIELDS
