"""Passwords that a guesser tries first are refused, and a few words that do not belong together are not."""

import pytest

from app.process.blocklist import COMMON, core_of, is_easily_guessed

OWN = ("ann.lee@hillside.example", "Ann Lee", "Hillside Plant Hire")


@pytest.mark.parametrize(
    "password",
    [
        "1234567890",
        "0987654321",
        "aaaaaaaaaaaa",
        "1212121212",
        "abcabcabcabc",
        "12345123451234512345",
        "qwertyuiop",
        "1qaz2wsx3edc",
        "1q2w3e4r5t",
        "password123",
        "Passw0rd2024!!",
        "p4$$word2024",
        "passwordpassword",
        "iloveyou123",
        "i love you 99",
        "dragon24121985",
        "Komatsu2026!",
        "a123456789",
        "RoviTracker1!",
        "Hillside2026!!",
        "hillsideplanthire",
        "Hillside-Dragon1",
        "ann.lee@hillside.example",
    ],
)
def test_easy_passwords_are_known(password: str) -> None:
    """NIST SP 800-63B section 3.1.1.2: common, repeated and sequential ones, and those made of the person's names."""
    assert is_easily_guessed(password, OWN)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "long enough password",
        "gr\u00fcner Bagger",
        "4711081532",
        "dragon735194821",
        "tr0ub4dor&3x",
        "hillside xk93mzqpa",
        "\u5bc6\u7801\u5bc6\u7801\u5bc6\u7801\u5bc6\u7801\u5bc6\u7801",
    ],
)
def test_other_passwords_are_left_alone(password: str) -> None:
    assert not is_easily_guessed(password, OWN)


def test_the_list_holds_thousands_of_cores() -> None:
    """A line with a digit at its end would never be met."""
    assert len(COMMON) > 5_000
    assert [line for line in COMMON if core_of(line) != line] == []
