"""What the tests of the endpoints and pages share."""

import pytest

from app.context import Context
from app.settings import Settings
from tests.web.services import Services


@pytest.fixture
def services(settings: Settings, context: Context) -> Services:
    return Services(settings, context)
