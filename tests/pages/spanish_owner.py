"""A walk through the pages of owners of applications by somebody whose browser asks for Spanish."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

from playwright.async_api import expect

from app.flows.mail.links import mint_sign_up_secret
from tests.pages.service import Service
from tests.pages.visitor import Visitor
from tests.support.people import PASSWORD

LOGO = Path(__file__).parents[2] / "app/web/pages/static/sitewise.png"
# The pages of one application by their links, and what each says.
TABS = {
    "Inicio rápido": "Inicio rápido",
    "Credenciales": "Crear un secreto nuevo",
    "Conexiones": "Conexiones",
    "Peticiones rechazadas": "Buscar por referencia",
    "Uso": "Uso",
    "Personas": "Enviar la invitación",
    "Avisos": "Se conecta un cliente",
    "Ajustes": "Direcciones de retorno, una por línea",
    "Puesta en servicio": "Qué necesita",
}


async def spanish_walk_of_an_owner(visitor: Visitor, service: Service) -> AsyncIterator[str]:
    """The heading or the sentence that each page shows, while it is open."""
    for part in (_sign_up, _register, _tabs, _refusals, _test_walk):
        async for shown in part(visitor, service):
            await expect(visitor.page.locator("body")).to_contain_text(shown)
            yield shown


async def _sign_up(visitor: Visitor, service: Service) -> AsyncIterator[str]:
    page, email = visitor.page, f"olga.{uuid4().hex[:12]}@sitewise.example"
    await page.goto(service.url("/app/register"))
    yield "Registre su aplicación"
    await page.get_by_label("Dirección de correo electrónico").fill(email)
    await visitor.button("Enviar el enlace").click()
    yield "Revise su correo"
    row = await service.context.database.row("SELECT id FROM sign_up WHERE email = $1", email)
    assert row is not None
    secret = await mint_sign_up_secret(service.context, row["id"])
    await page.goto(service.url(f"/app/register/{secret}"))
    yield "Al menos 10 caracteres."
    await page.get_by_label("Elija una contraseña").fill("password123")
    await visitor.button("Registrarse").click()
    yield "demasiado fácil de adivinar"
    await page.get_by_label("Elija una contraseña").fill(PASSWORD)
    await visitor.button("Registrarse").click()


async def _register(visitor: Visitor, _service: Service) -> AsyncIterator[str]:
    page = visitor.page
    await expect(page.get_by_role("heading", level=1)).to_have_text("Registrar una aplicación")
    await page.get_by_label("Empresa").fill("Sitewise Rentals")
    await page.get_by_label("Nombre de la aplicación").fill("Sitewise")
    addresses = page.get_by_label("Direcciones de retorno, una por línea")
    await addresses.fill("http://sitewise.example/")
    await visitor.button("Registrar").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "Registrar una aplicación"
    await addresses.fill("http://localhost:3000/callback")
    await page.get_by_label("Logotipo").set_input_files(LOGO)
    await visitor.button("Registrar").click()
    yield "Sus credenciales"
    await page.get_by_role("link", name="Ir al inicio rápido").click()


async def _tabs(visitor: Visitor, _service: Service) -> AsyncIterator[str]:
    for link, shown in TABS.items():
        await visitor.page.get_by_role("link", name=link, exact=True).click()
        yield shown


async def _refusals(visitor: Visitor, _service: Service) -> AsyncIterator[str]:
    page = visitor.page
    await page.get_by_role("link", name="Credenciales", exact=True).click()
    await page.get_by_text("Crear un secreto nuevo", exact=True).click()
    await page.get_by_label("Contraseña").fill("incorrect horse")
    await visitor.button("Crear el secreto nuevo").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "Crear un secreto nuevo"
    await page.get_by_role("link", name="Peticiones rechazadas", exact=True).click()
    await page.get_by_label("Buscar por referencia").fill("nobody-has-this")
    await visitor.button("Buscar").click()
    await expect(page.get_by_role("status")).to_be_visible()
    yield "Buscar por referencia"
    await page.get_by_role("link", name="Sus aplicaciones").first.click()
    yield "Sus aplicaciones"
    await page.get_by_role("link", name="Sitewise").click()
    await page.get_by_role("link", name="Ajustes", exact=True).click()
    await page.get_by_label("Enlace a lo que hace con los datos de los clientes (aviso de privacidad)").fill(
        "http://x"
    )
    await visitor.button("Guardar").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "Ajustes"


async def _test_walk(visitor: Visitor, _service: Service) -> AsyncIterator[str]:
    page = visitor.page
    await page.get_by_role("link", name="Inicio rápido", exact=True).click()
    await page.get_by_role("link", name="Probar ahora").click()
    yield "Sitewise"
    await visitor.button("Aprobar").click()
    yield "RoviTracker envió un código"
    await visitor.button("Enviar la solicitud del token").click()
    yield "La aplicación tiene su token"
    await visitor.button("Enviar la solicitud de la flota").click()
    yield "Las primeras máquinas"
