"""Claims about base62."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.oauth import base62

IDS = st.integers(min_value=0, max_value=2**128 - 1)


@given(IDS)
def test_decoding_gives_back_the_number(number: int) -> None:
    text = base62.encode(number, 22)
    assert len(text) == 22
    assert base62.decode(text) == number


@given(IDS, IDS)
def test_texts_of_one_width_sort_as_their_numbers(one: int, other: int) -> None:
    """Comparing texts is how an out-of-range secret is told without decoding it."""
    assert (base62.encode(one, 23) < base62.encode(other, 23)) == (one < other)


@pytest.mark.parametrize("width", [1, 2, 3, 6, 27])
def test_number_that_does_not_fit_is_refused(width: int) -> None:
    assert base62.encode(62**width - 1, width) == "z" * width
    with pytest.raises(OverflowError):
        base62.encode(62**width, width)


@pytest.mark.parametrize("text", ["0-", "é0", "0/", ""])
def test_foreign_character_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"digits|ASCII"):
        base62.decode(text)


def test_the_alphabet_is_in_the_order_of_the_digits() -> None:
    assert [base62.decode(character) for character in base62.ALPHABET] == list(range(62))
