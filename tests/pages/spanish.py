"""A walk through the pages by somebody whose browser asks for Spanish."""

from collections.abc import AsyncIterator

from playwright.async_api import expect
from pyotp import TOTP

from app.flows.account.add_operator import add_operator
from app.flows.mail.links import mint_secret
from app.oauth.actor import COMMAND_LINE
from tests.pages.other_site import OtherSite
from tests.pages.service import Service
from tests.pages.visitor import Visitor
from tests.support.browser import Browser
from tests.support.fleets import fill
from tests.support.people import PASSWORD, World, join

WRONG_PASSWORD = "incorrect horse battery"


async def spanish_walk(
    visitor: Visitor, service: Service, world: World, site: OtherSite
) -> AsyncIterator[str]:
    """The heading or the sentence that each page shows, while it is open."""
    for part in (_sign_in, _consent, _account, _people, _security, _profile, _password, _demo, _operator):
        async for shown in part(visitor, service, world, site):
            await expect(visitor.page.locator("body")).to_contain_text(shown)
            yield shown


async def _sign_in(visitor: Visitor, service: Service, world: World, _: OtherSite) -> AsyncIterator[str]:
    page = visitor.page
    await page.goto(service.url("/"))
    yield "Sus máquinas informan. Usted decide quién puede leerlo."
    await page.goto(service.consent_url(world, client_id="nobody"))
    yield "Esta aplicación no se conoce aquí"
    await page.goto(service.consent_url(world))
    yield "para continuar a Sitewise"
    await sign_in(visitor, world, WRONG_PASSWORD)
    yield "Esa dirección de correo electrónico y esa contraseña no van juntas"
    await sign_in(visitor, world, PASSWORD)


async def sign_in(visitor: Visitor, world: World, password: str) -> None:
    await expect(visitor.page.locator("[autofocus]")).to_be_focused()
    await visitor.page.get_by_label("Dirección de correo electrónico").fill(world.member.email)
    await visitor.page.get_by_label("Contraseña").fill(password)
    await visitor.button("Iniciar sesión").click()


async def _consent(visitor: Visitor, service: Service, world: World, site: OtherSite) -> AsyncIterator[str]:
    yield "¿Conectar Sitewise a su cuenta de RoviTracker?"
    await visitor.page.get_by_text("Elegir máquinas, historial o un final").click()
    await visitor.page.get_by_label("Estas máquinas").check()
    await visitor.page.get_by_label("Nombre las máquinas, una por línea").fill("D 7")
    await visitor.button("Aprobar").click()
    yield "Ninguna de sus máquinas se llama así."
    await visitor.page.get_by_label("Todas las máquinas").check()
    await visitor.button("Aprobar").click()
    await visitor.page.wait_for_url(f"{site.callback}?**")
    async with Browser(base_url=service.origin) as server:
        await world.exchange(server, site.callbacks[-1].query["code"])
    await visitor.page.goto(service.consent_url(world))
    yield "Usted conectó esta aplicación el"


async def _account(visitor: Visitor, service: Service, world: World, _: OtherSite) -> AsyncIterator[str]:
    page = visitor.page
    await page.goto(service.url("/app/account/applications"))
    yield "Estas aplicaciones tienen acceso a las máquinas de"
    await page.get_by_role("link", name="Sitewise").click()
    yield "Rige en menos de un segundo, y la aplicación no necesita un token nuevo."
    await page.get_by_label("Termina por sí sola el").fill("2026-01-01T00:00:00")
    await visitor.button("Guardar").click()
    yield "Elija un final que todavía no haya pasado."
    await page.get_by_role("link", name="Volver a la lista").click()
    await page.get_by_text("Desconectar Sitewise", exact=True).click()
    yield "Para volver a usarla, tendría que conectarla otra vez desde la aplicación."
    await page.get_by_role("button", name="Sí, desconectar").click()
    yield "Se desconectó la aplicación. Ya no tiene acceso a sus máquinas."
    await page.get_by_role("link", name="Máquinas").click()
    yield "Aún no hay máquinas"
    await fill(service.context, world.member.customer_id, "9NRA2B3C4M0030117")
    await page.reload()
    yield "En Aplicaciones conectadas se ve cuáles puede leer cada aplicación."


async def _people(visitor: Visitor, _service: Service, world: World, _: OtherSite) -> AsyncIterator[str]:
    page = visitor.page
    await join(world, "viewer", name="Bo")
    await page.get_by_role("link", name="Personas").click()
    yield "Todas las personas que inician sesión para"
    await page.get_by_label("Dirección de correo electrónico").fill("carla@hillside")
    await visitor.button("Enviar la invitación").click()
    yield "esta no es una dirección de correo electrónico"
    email = f"carla.{world.member.id.hex[-12:]}@elsewhere.example"
    await page.get_by_label("Dirección de correo electrónico").fill(email)
    await visitor.button("Enviar la invitación").click()
    await page.get_by_text("Cambiar el rol de Bo", exact=True).click()
    await page.get_by_text("Quitar a Bo", exact=True).click()
    await page.get_by_text("Transferir la propiedad", exact=True).click()
    yield "La invitación está en camino."
    await visitor.button("Guardar el rol de Bo").click()
    yield "Se cambió el rol. Se avisa a la persona por correo."
    await page.get_by_role("link", name="Resumen").click()
    yield "Usted invitó a alguien como observador."


async def _security(visitor: Visitor, service: Service, world: World, _: OtherSite) -> AsyncIterator[str]:
    page = visitor.page
    async with Browser(base_url=service.origin) as elsewhere:
        await elsewhere.sign_in(await elsewhere.get("/app/login"), world.member.email, PASSWORD)
    await page.get_by_role("link", name="Seguridad").click()
    yield "Cómo inicia sesión como"
    await page.get_by_label("Contraseña actual").fill(PASSWORD)
    await page.get_by_label("Contraseña nueva").fill("Hillside2026!")
    await visitor.button("Cambiar la contraseña").click()
    yield "No se aceptó: demasiado fácil de adivinar; use varias palabras que no tengan relación entre sí."
    await page.goto(service.url("/app/account/security"))
    await page.get_by_role("link", name="Configurar una aplicación de autenticación").click()
    yield "La aplicación muestra un código nuevo cada 30 segundos."
    totp = TOTP((await page.locator(".key").inner_text()).replace(" ", ""))
    await page.get_by_label("Código", exact=True).fill("000000")
    await page.get_by_label("Contraseña").fill(PASSWORD)
    await visitor.button("Activar").click()
    yield "Este código es incorrecto, es demasiado antiguo o ya se usó."
    await page.get_by_label("Código", exact=True).fill(totp.now())
    await page.get_by_label("Contraseña").fill(PASSWORD)
    await visitor.button("Activar").click()
    yield "Guarde ahora estos códigos"
    code = await page.locator(".codes code").first.inner_text()
    await page.get_by_role("link", name="Ya los guardé").click()
    yield "Quedan 10 de 10 códigos de recuperación."
    await visitor.button("Cerrar sesión").click()
    yield "Use su cuenta de cliente de RoviTracker."
    await sign_in(visitor, world, PASSWORD)
    yield "Escriba un código"
    await page.get_by_label("Código", exact=True).fill(code)
    await visitor.button("Iniciar sesión").click()


async def _profile(visitor: Visitor, service: Service, _world: World, _: OtherSite) -> AsyncIterator[str]:
    page = visitor.page
    await page.get_by_role("link", name="Perfil").click()
    yield "Quién es usted aquí, como integrante de"
    await page.get_by_label("Su zona horaria").select_option("America/Mexico_City")
    await visitor.button("Elegir la zona").click()
    yield "A partir de ahora, las páginas y los correos le dicen la hora en esta zona."
    await page.get_by_text("Cerrar la cuenta", exact=True).click()
    yield "Se desconectan todas las aplicaciones, y ya nadie de la cuenta inicia sesión."
    await page.goto(service.url("/app/account/nothing"))
    yield "No existe esta página"


async def _password(visitor: Visitor, service: Service, world: World, _: OtherSite) -> AsyncIterator[str]:
    page = visitor.page
    await page.goto(service.url("/app/password/forgotten"))
    yield "Contraseña olvidada"
    await page.get_by_label("Dirección de correo electrónico").fill("ann@hillside")
    await visitor.button("Enviar el enlace").click()
    yield "Dirección de correo electrónico: esta no es una dirección de correo electrónico"
    await page.get_by_label("Dirección de correo electrónico").fill(world.member.email)
    await visitor.button("Enviar el enlace").click()
    yield "El enlace funciona una sola vez, durante una hora."
    secret = await mint_secret(service.context, "new password", world.member.id)
    await page.goto(service.url(f"/app/password/new?link={secret}"))
    yield "Elija una contraseña de 10 caracteres o más."
    await page.goto(service.url("/app/password/new?link=nothing"))
    yield "Este enlace no funciona"
    await page.goto(service.url("/app/demo/mail"))
    await page.locator("article.mail").evaluate_all(
        "all => all.forEach(each => each.remove())"
    )  # others' mails
    yield "Correos"


async def _demo(visitor: Visitor, service: Service, _world: World, _: OtherSite) -> AsyncIterator[str]:
    await visitor.page.goto(f"{service.url('/app/demo/callback')}?code=rovi_ac_nothing&state=demo")
    yield "RoviTracker envió un código"
    await visitor.page.goto(f"{service.url('/app/demo/callback')}?error=access_denied&state=demo")
    yield "No se conectó la flota"


async def _operator(visitor: Visitor, service: Service, world: World, _: OtherSite) -> AsyncIterator[str]:
    """Somebody of RoviTracker: the second factor that is needed, a passkey, the operators, and the factor shown again."""
    page, context = visitor.page, service.context
    email = f"olga.{world.member.id.hex[-12:]}@rovitracker.example"
    await add_operator(context, COMMAND_LINE, email=email, name="Olga Reyes", role="admin", password=PASSWORD)
    await visitor.context.clear_cookies()
    await page.goto(service.url("/app/operator/staff"))
    await page.get_by_label("Dirección de correo electrónico").fill(email)
    await page.get_by_label("Contraseña").fill(PASSWORD)
    await visitor.button("Iniciar sesión").click()
    yield "Los operadores siempre tienen un segundo factor."
    await page.get_by_role("link", name="Seguridad").first.click()
    await page.get_by_text("Agregar una llave de acceso", exact=True).click()
    form = page.locator("form", has=visitor.button("Continuar"))
    await form.get_by_label("Contraseña").fill(PASSWORD)
    await visitor.button("Continuar").click()
    yield "Desde entonces puede iniciar sesión con él."
    await page.goto(service.url("/app/account/security/authenticator"))
    totp = TOTP((await page.locator(".key").inner_text()).replace(" ", ""))
    await page.get_by_label("Código", exact=True).fill(totp.now())
    await page.get_by_label("Contraseña").fill(PASSWORD)
    await visitor.button("Activar").click()
    await page.goto(service.url("/app/operator/staff"))
    yield "Olga Reyes"
    await page.goto(service.url("/app/operator/prove"))
    await page.get_by_label("Código", exact=True).fill("000000")
    await visitor.button("Confirmar").click()
    yield "Este código es incorrecto, es demasiado antiguo o ya se usó."
