"""The head of the consent page beside the form that says what stands there, as it is typed and chosen."""

import pytest
from playwright.async_api import FilePayload, Locator, Page, expect

from app.flows.account.change_customer import find_person
from tests.pages.conftest import Visit
from tests.pages.service import Service
from tests.pages.visitor import Visitor
from tests.support.people import PASSWORD, World
from tests.support.reviews import LOGO, register

HOSTILE = '<img src="/x" onerror="alert(1)"> &amp; "Sitewise" \u202e'
NEW = "/app/developer/new"

# How many of the canvas's pixels something was drawn on.
DRAWN = """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
  .filter((value, place) => place % 4 === 3 && value > 0).length"""


async def open_form(visitor: Visitor, service: Service, world: World, path: str = NEW) -> Page:
    await visitor.page.goto(service.url(path))
    await visitor.sign_in(world.member.email, PASSWORD)
    await expect(visitor.page.get_by_label("Name of the application")).to_be_visible()
    return visitor.page


def preview_on(page: Page) -> Locator:
    return page.get_by_role("region", name="What customers will see")


async def test_what_is_typed_stands_in_the_preview_as_text(
    visit: Visit, service: Service, world: World
) -> None:
    """Hostile text too."""
    page = await open_form(await visit(), service, world)
    preview = preview_on(page)
    await expect(preview).to_contain_text("Connect Name of the application to your RoviTracker account?")
    await expect(preview).to_contain_text("This application is made by Company.")
    await page.get_by_label("Name of the application").fill(HOSTILE)
    await page.get_by_label("Company").fill(f"\u00e9{HOSTILE}")
    await expect(preview.locator("bdi")).to_have_text(["<", HOSTILE.strip(), f"\u00e9{HOSTILE.strip()}"])
    await expect(preview.locator("img")).to_have_count(0)
    await page.get_by_label("Name of the application").fill("\u00e9tage")
    await expect(preview.locator("bdi").first).to_have_text("\u00c9")


async def test_the_chosen_logo_is_drawn_and_what_is_no_picture_is_not(
    visit: Visit, service: Service, world: World
) -> None:
    page = await open_form(await visit(), service, world)
    logo, picture = page.get_by_label("Logo"), preview_on(page).get_by_role("img", name="The chosen picture")
    await logo.set_input_files(LOGO)
    await expect(picture).to_be_visible()
    assert await picture.evaluate(DRAWN) > 1000
    await expect(preview_on(page).locator(".monogram")).to_be_hidden()
    no_pictures: list[list[FilePayload]] = [
        [{"name": "logo.png", "mimeType": "image/png", "buffer": b"<svg/>"}],
        [],
    ]
    for no_picture in no_pictures:
        await logo.set_input_files(no_picture)
        await expect(picture).to_be_hidden()
        await expect(preview_on(page).locator(".monogram")).to_be_visible()
        await logo.set_input_files(LOGO)
        await expect(picture).to_be_visible()


async def test_settings_begin_with_what_stands_there(visit: Visit, service: Service, world: World) -> None:
    person = await find_person(service.context, world.member.email)
    client = await register(service.context, person)
    page = await open_form(await visit(), service, world, f"/app/developer/{client.id}/settings")
    preview = preview_on(page)
    await expect(preview).to_contain_text(f"Connect {client.name} to your")
    await expect(preview.get_by_role("img", name=f"Logo of \u2068{client.name}\u2069")).to_be_visible()
    await page.get_by_label("Name of the application").fill("Other")
    await expect(preview).to_contain_text("Connect Other to your")
    await page.get_by_label("Another logo").set_input_files(LOGO)
    await expect(preview.get_by_role("img", name="The chosen picture")).to_be_visible()
    await expect(preview.get_by_role("img")).to_have_count(1)


async def test_a_refused_form_comes_back_with_its_preview(
    visit: Visit, service: Service, world: World
) -> None:
    visitor = await visit()
    page = await open_form(visitor, service, world)
    await page.get_by_label("Name of the application").fill("Sitewise")
    await page.get_by_label("Company").fill("Sitewise Ltd")
    await page.get_by_label("Redirect addresses, one on a line").fill("javascript:alert(1)")
    await visitor.button("Register").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(preview_on(page)).to_contain_text("Connect Sitewise to your RoviTracker account?")
    await expect(preview_on(page)).to_contain_text("This application is made by Sitewise Ltd.")


@pytest.mark.parametrize("width", [390, 1280])
async def test_without_script_there_is_none(visit: Visit, service: Service, world: World, width: int) -> None:
    visitor = await visit(java_script_enabled=False, viewport={"width": width, "height": 844})
    page = await open_form(visitor, service, world)
    await expect(page.get_by_text("What customers will see")).to_be_hidden()
