"""Registering an application: what is refused, and that a refusal leaves nothing behind."""

import unicodedata

import pytest

from app.context import Context
from app.flows.account.read_logo import LogoError
from app.flows.account.register_application import register_application
from app.oauth.actor import COMMAND_LINE
from app.oauth.redirect_uri import RedirectUriError
from app.oauth.registration import RegistrationError, check_name
from app.storage.people.applications import count_applications

INVISIBLE = {
    "line break": "Site\r\nwise",
    "nul": "Site\0wise",
    "escape": "Site\x1b[1mwise",
    "right-to-left override": "Site\u202egpj.exe",
    "isolate": "Site\u2067wise",
    "zero-width space": "Site\u200bwise",
    "zero-width joiner": "Site\u200dwise",
    "byte order mark": "Site\ufeffwise",
    "soft hyphen": "Site\u00adwise",
    "tag letters": "Site\U000e0041wise",
    "line separator": "Site\u2028wise",
    "private use": "Site\ue000wise",
    "unassigned": "Site\u0378wise",
    "hangul filler": "\u3164",
    "halfwidth hangul filler": "\uffa0",
    "blank Braille cell": "\u2800",
    "grapheme joiner": "Site\u034fwise",
}


@pytest.mark.parametrize("name", INVISIBLE.values(), ids=INVISIBLE.keys())
@pytest.mark.parametrize("field", ["name", "company"])
async def test_name_with_something_invisible_is_refused(context: Context, field: str, name: str) -> None:
    """R-48, R-61: customers decide by these names, and mails will carry them."""
    before = await count_applications(context.database)
    with pytest.raises(RegistrationError, match=field):
        await register_application(
            context,
            COMMAND_LINE,
            name=name if field == "name" else "Sitewise",
            company=name if field == "company" else "Sitewise Ltd",
        )
    assert await count_applications(context.database) == before


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "x" * 1000])
def test_name_of_no_or_absurd_length_is_refused(name: str) -> None:
    """R-48"""
    with pytest.raises(RegistrationError, match="1 to 120"):
        check_name("name", name)


@pytest.mark.parametrize("name", ["x" * 120, "Müller & Söhne", "<b>Bold</b>", "שלום", "重機レンタル", "🚜"])
def test_name_people_can_see_is_kept(name: str) -> None:
    """R-48: escaping is the page's business, not the registration's."""
    assert check_name("name", f"  {name} ") == name


def test_names_that_look_the_same_are_stored_the_same() -> None:
    assert check_name("name", unicodedata.normalize("NFD", "Müller")) == "Müller"


@pytest.mark.parametrize(
    "uri",
    [
        "http://sitewise.example/callback",
        "https://sitewise.example/#",
        "https://*.example/callback",
        "https://user@sitewise.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "com.example.app:/callback",
        "/callback",
        "",
    ],
)
async def test_redirect_uri_that_could_be_misread_is_refused(context: Context, uri: str) -> None:
    """O-10, O-13, O-33, O-124, R-35"""
    before = await count_applications(context.database)
    with pytest.raises(RedirectUriError):
        await register_application(
            context, COMMAND_LINE, name="Sitewise", company="Sitewise Ltd", redirect_uris=(uri,)
        )
    assert await count_applications(context.database) == before


async def test_refused_logo_leaves_nothing_behind(context: Context) -> None:
    """R-66"""
    before = await count_applications(context.database)
    with pytest.raises(LogoError):
        await register_application(
            context, COMMAND_LINE, name="Sitewise", company="Sitewise Ltd", logo=b"<svg/>"
        )
    assert await count_applications(context.database) == before


async def test_too_many_redirect_uris_and_unknown_scopes_are_refused(context: Context) -> None:
    with pytest.raises(RegistrationError, match="at most 20"):
        await register_application(
            context,
            COMMAND_LINE,
            name="Sitewise",
            company="Sitewise Ltd",
            redirect_uris=tuple(f"https://sitewise.example/{number}" for number in range(21)),
        )
    with pytest.raises(RegistrationError, match="aemp:write"):
        await register_application(
            context, COMMAND_LINE, name="Sitewise", company="Sitewise Ltd", scope=("aemp:write",)
        )


async def test_secret_is_stored_as_a_digest_only(context: Context) -> None:
    """R-24, O-142"""
    registered = await register_application(context, COMMAND_LINE, name="Sitewise", company="Sitewise Ltd")
    row = await context.database.row(
        "SELECT s::text AS stored FROM client_secret s WHERE application_id = $1", registered.client.id
    )
    assert row is not None
    assert registered.client_secret is not None
    assert registered.client_secret not in row["stored"]
    assert registered.client_secret.removeprefix("rovi_cs_")[:20] not in row["stored"]
