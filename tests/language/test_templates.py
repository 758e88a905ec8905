"""Templates are ready before anybody asks for a page."""

from app.main import create_app
from app.settings import Settings
from app.web.pages.render import TEMPLATES


async def test_no_visitor_waits_while_a_page_is_compiled(settings: Settings) -> None:
    """R-110: that took up to 50 ms of the loop, once for each page and process."""
    compiled = TEMPLATES.environment.cache
    assert compiled is not None
    compiled.clear()
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        assert {name for _, name in compiled} == set(TEMPLATES.environment.list_templates())
