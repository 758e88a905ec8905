"""R-76, R-110: what may take longer than its input grows is called in a few places, each behind a length that is checked."""

import pytest

from app.aemp.model.bounds import LONGEST_IDENTIFIER
from app.aemp.model.identifiers import normalise_identifier
from app.flows.account.add_customer import check_email
from app.flows.bounds import LONGEST_EMAIL
from app.oauth.bounds import LONGEST_UNCOMPOSED_NAME
from app.oauth.registration import check_name
from app.process.passwords import LONGEST_PASSWORD, _as_typed
from tests.cost.cases import Case, Worst, case
from tests.cost.clock import assert_costs_at_most, assert_grows_no_faster
from tests.cost.oauth_readers import ABOVE, BELOW
from tests.cost.sources import places_of_costly_calls

# One request may take as much of the loop's time.
_MOST_S = 0.01

_ACCENTS = ("a", ABOVE + BELOW)

# Each as long as its bound allows, and from there tenfold.
BOUNDED: dict[str, Case] = {
    "app/aemp/model/identifiers.py:normalise_identifier": case(
        normalise_identifier, _ACCENTS, lengths=(LONGEST_IDENTIFIER - 1,)
    ),
    "app/flows/account/add_customer.py:check_email": case(
        check_email,
        (*_ACCENTS, "@a.example"),
        ("a@", ABOVE + BELOW, ".example"),
        ("a@", "xn--a."),
        ("a@", "a."),
        lengths=(LONGEST_EMAIL - 12,),
    ),
    "app/oauth/registration.py:check_name": case(
        lambda given: check_name("name", given), _ACCENTS, lengths=(LONGEST_UNCOMPOSED_NAME - 1,)
    ),
    "app/process/passwords.py:_as_typed": case(_as_typed, _ACCENTS, lengths=(LONGEST_PASSWORD - 1,)),
}

_REGISTERED = "a registration is ASCII of at most 2,000 characters"
_NAME = "a registered name of at most 120 characters, and no more of it is looked at"
_OPERATORS = "a setting of the operator's own, read once when the service starts"

ALLOWED = {
    "app/flows/developer/likeness.py:_latin": _NAME,
    "app/flows/developer/likeness.py:_unmarked": _NAME,
    "app/flows/developer/likeness.py:skeleton": _NAME,
    "app/oauth/description.py:hosts_of": _REGISTERED,
    "app/cli/flow_page.py:do_GET": "a request line on this machine, of at most 64 KiB of Latin-1, which holds no accents to compose",
    "app/flows/moving/fields.py:read": "the name of a field in a line of an operator's file of at most 64 KiB",
    "app/flows/mail/compose.py:compose": _OPERATORS,
    "app/mail/server.py:parse_smtp_url": _OPERATORS,
    "app/oauth/relying_party.py:_host_of": _OPERATORS,
    "app/oauth/registration.py:_is_absolute": _REGISTERED,
    "app/oauth/registration.py:_nearest": "a word of at most 64 characters",
    "app/cli/walk.py:_direct_ways": _OPERATORS,
    "app/cli/walk.py:_through": _OPERATORS,
    "app/setting_addresses.py:read": _OPERATORS,
    "app/settings.py:_nearest_choice": _OPERATORS,
    "app/settings.py:check_names": _OPERATORS,
    "app/storage/postgres/server.py:hosts_of": _OPERATORS,
    "app/web/pages/consent_role.py:redirect_host": _REGISTERED,
}


def test_costly_calls_stand_where_they_are_known() -> None:
    """A new one fails here until its bound is shown, or said."""
    places, known = places_of_costly_calls(), {*BOUNDED, *ALLOWED}
    assert sorted(places - known) == []
    assert sorted(known - places) == []


_WORST = [
    pytest.param(case, worst, id=f"{place} {worst.begin!r}{worst.unit!r}")
    for place, case in BOUNDED.items()
    for worst in case.worst
]


@pytest.mark.parametrize(("case", "worst"), _WORST)
def test_it_is_cheap_at_its_bound_and_not_done_beyond(case: Case, worst: Worst) -> None:
    """R-76, R-110: at its bound a hundredth of a second, and ten times as much takes at most twelve times as long."""
    for length in case.lengths:
        at_the_bound, beyond = case.few_and_many(worst, length)
        assert_costs_at_most(case.run, at_the_bound, seconds=_MOST_S)
        assert_grows_no_faster(case.run, at_the_bound, beyond)
