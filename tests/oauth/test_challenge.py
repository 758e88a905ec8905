"""Claims about WWW-Authenticate values."""

import re

from hypothesis import given
from hypothesis import strategies as st

from app.oauth.challenge import REALM, challenge, printable

ATTRIBUTE = re.compile(r'([a-z_]+)="([\x20\x21\x23-\x5B\x5D-\x7E]*)"')
OPTIONAL_TEXT = st.none() | st.text()


def test_challenge_without_error_names_only_the_realm() -> None:
    """O-69, O-70: at least one parameter, and no error where no credentials came."""
    assert challenge(REALM) == 'Bearer realm="RoviTracker"'


def test_challenge_carries_every_given_attribute_in_order() -> None:
    """O-73, O-153."""
    value = challenge(
        REALM,
        error="insufficient_scope",
        description="more is needed",
        scope="aemp:read",
        resource_metadata="https://auth.example/.well-known/oauth-protected-resource/api",
    )
    assert value == (
        'Bearer realm="RoviTracker", error="insufficient_scope", error_description="more is needed", '
        'scope="aemp:read", resource_metadata="https://auth.example/.well-known/oauth-protected-resource/api"'
    )


@given(st.text(), OPTIONAL_TEXT, OPTIONAL_TEXT, OPTIONAL_TEXT)
def test_no_text_breaks_out_of_its_quotes(
    realm: str, error: str | None, description: str | None, scope: str | None
) -> None:
    """O-74, O-32: attributes at most once, in the RFC's characters, without a line break."""
    value = challenge(realm, error=error, description=description, scope=scope)
    attributes = value.removeprefix("Bearer ")
    assert ATTRIBUTE.sub("", attributes).strip(", ") == ""
    names = [name for name, _ in ATTRIBUTE.findall(attributes)]
    assert len(names) == len(set(names))


@given(st.text())
def test_printable_text_keeps_its_length_and_the_rfcs_characters(text: str) -> None:
    """O-24."""
    assert re.fullmatch(r"[\x20\x21\x23-\x5B\x5D-\x7E]*", printable(text))
    assert len(printable(text)) == len(text)
