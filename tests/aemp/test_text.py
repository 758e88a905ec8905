"""Figures are written without noise."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.aemp.model.text import decimal_writer


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (1937.2, 2, "1937.20"),
        (-0.001, 2, "0.00"),
        (999_999_999_999.99, 2, "999999999999.99"),
        (10.0137, 7, "10.0137"),
        (-31.660800000000002, 7, "-31.6608"),
        (10.0, 7, "10.0"),
        (-1e-9, 7, "0.0"),
        (1e-7, 7, "0.0000001"),
    ],
)
def test_figures_have_no_noise_exponent_or_negative_zero(value: float, decimals: int, text: str) -> None:
    assert decimal_writer(decimals)(value) == text


@given(st.floats(-1e12, 1e12), st.sampled_from([2, 7]))
def test_figures_are_plain_decimals_near_the_value(value: float, decimals: int) -> None:
    text = decimal_writer(decimals)(value)
    assert re.fullmatch(r"-?[0-9]+\.[0-9]+", text)
    assert float(text) == pytest.approx(value, abs=0.51 * 10**-decimals, rel=1e-12)
