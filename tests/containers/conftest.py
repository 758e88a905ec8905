"""Two installations that the files here share, one by each compose file; only `make check-containers` collects them."""

from collections.abc import Iterator

import pytest

from tests.containers.customer import Customer
from tests.containers.engine import RUN
from tests.containers.installation import START, installation
from tests.support.composition import BASE, PRODUCTION

collect_ignore_glob = [] if RUN else ["test_*.py"]


@pytest.fixture(scope="session", params=["development", "production"])
def customer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Customer]:
    """A customer of an installation by one compose file, or by both."""
    folder = tmp_path_factory.mktemp("containers") / request.param
    files = (BASE, PRODUCTION) if request.param == "production" else (BASE,)
    with installation(request.param, folder, files=files) as made:
        made.run(START)
        yield Customer.add(made)
