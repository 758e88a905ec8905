"""From test mode to a real customer, as the three people see it."""

from playwright.async_api import expect

from app.flows.account.change_customer import find_person
from tests.pages.conftest import Visit
from tests.pages.operator import sign_in_as_operator
from tests.pages.other_site import OtherSite
from tests.pages.service import Service
from tests.support.people import CHALLENGE, PASSWORD, World, confirm_email
from tests.support.reviews import PRIVACY, change, register


async def test_owner_hands_in_a_reviewer_approves_and_a_customer_connects(
    visit: Visit, service: Service, site: OtherSite
) -> None:
    """R-48"""
    context = service.context
    makers, hillside = await World.make(context), await World.make(context)
    await confirm_email(context, makers.member.id)
    person = await find_person(context, makers.member.email)
    client = await register(context, person, addresses=(site.callback,), public=True)
    await change(context, person, client.id, privacy_uri=PRIVACY)
    owner = await visit(java_script_enabled=False)
    await owner.page.goto(service.url(f"/app/developer/{client.id}/publish"))
    await owner.sign_in(person.email, PASSWORD)
    await owner.page.get_by_label("A message to the reviewer").fill("Please have a look.")
    await owner.button("Hand in for review").click()
    await expect(owner.page.get_by_role("heading", name="Waits for review")).to_be_visible()
    operator = await visit(java_script_enabled=False)
    email = f"rita.{makers.member.id.hex[-12:]}@rovitracker.example"
    await sign_in_as_operator(operator, service, email, "reviewer")
    await operator.page.goto(service.url("/app/operator/reviews"))
    await operator.page.get_by_role("link", name=client.name).click()
    await expect(operator.page.get_by_text("Please have a look.")).to_be_visible()
    await operator.button("Approve").click()
    await expect(operator.page.get_by_role("status")).to_contain_text("It was approved.")
    customer = await visit(java_script_enabled=False)
    asked = {
        "client_id": client.client_id,
        "redirect_uri": site.callback,
        "response_type": "code",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    await customer.page.goto(service.url(hillside.authorize_url(**asked)))
    await customer.sign_in(hillside.member.email, PASSWORD)
    await expect(customer.page.get_by_text("It is new here")).to_be_visible()
    await customer.button("Approve").click()
    await expect(customer.page.get_by_role("heading", name="Application")).to_be_visible()
    assert any("code" in arrival.query for arrival in site.arrivals)
