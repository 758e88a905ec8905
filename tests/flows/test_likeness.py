"""Names that are made to look like another's, by the tricks that are known."""

import pytest

from app.flows.developer.likeness import holds, looks_like, mixes_alphabets, pictures_alike, skeleton
from app.oauth.bounds import LONGEST_NAME
from app.oauth.registration import RegistrationError, check_name

OWN = skeleton("RoviTracker")


@pytest.mark.parametrize(
    "name",
    [
        "RoviTracker",
        "rovitracker",
        "Rovi Tracker",
        "Rovi-Tracker.",
        "R\u043evi\u0422racker",  # Cyrillic o and T
        "Rov\u0456Trac\u043aer",  # Cyrillic i and ka
        "R\u03bfvitrac\u03baer",  # Greek omicron and kappa
        "R\u039fV\u0399TRAC\u039aER",  # Greek capitals
        "\uff32\uff4f\uff56\uff49\uff34\uff52\uff41\uff43\uff4b\uff45\uff52",  # full width
        "\U0001d411\U0001d428\U0001d42f\U0001d422\U0001d413\U0001d42b\U0001d41a\U0001d41c\U0001d424\U0001d41e\U0001d42b",
        "\u0280ovitracker",  # a small capital
        "ro\u2175tracker".replace("\u2175", "v\u2170"),  # a Roman numeral
        "R\u00f6vi Tr\u00e5cker",
        "R\u00f8viTracker",
        "RovlTracker",
        "R0v1Tracker",
        "RoviTrackr",
        "RoviTarcker",
        "RoviTracker Support",
        "The RoviTracker\u2122",
    ],
)
def test_what_reads_like_rovitracker_is_marked(name: str) -> None:
    """R-48"""
    assert check_name("name", name) == name.strip()
    assert holds(skeleton(name), OWN), skeleton(name)


@pytest.mark.parametrize(
    "name", ["Rovi\u200btracker", "Rovi\u2060Tracker", "\u202eRoviTracker", "Rovi\u3164"]
)
def test_what_nobody_sees_is_refused_before(name: str) -> None:
    with pytest.raises(RegistrationError):
        check_name("name", name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Sitewise", "S\u0456tew\u0456se"),
        ("Sitewise", "Site Wise"),
        ("Sitewise", "Sitewize"),
        ("Sitewise", "Sitewises"),
        ("Sitewise", "Sitewsie"),
        ("modern", "modem"),
        ("Vvolvo", "Wolvo"),
        ("CAT", "\u0421\u0410\u0422"),  # Cyrillic
    ],
)
def test_one_letter_is_not_enough(one: str, other: str) -> None:
    assert looks_like(skeleton(one), skeleton(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Sitewise", "Fuelwatch"),
        ("CAT", "CAR"),  # short names are near too many
        ("Sitewise", "Sitewise Rentals"),
        ("\u2026", "\u2014"),  # no letter at all
        ("\u6771\u4eac", "\u5927\u962a"),
    ],
)
def test_names_of_their_own_are_left_alone(one: str, other: str) -> None:
    assert not looks_like(skeleton(one), skeleton(other))
    assert not holds(skeleton(one), OWN)


def test_alphabets_beside_each_other_are_noticed() -> None:
    assert mixes_alphabets("R\u043evi")
    assert not mixes_alphabets("Tokyo \u6771\u4eac")
    assert not mixes_alphabets("\u0420\u043e\u0432\u0438")


def test_a_long_name_is_read_as_far_as_names_go() -> None:
    assert len(skeleton("a" * 10 * LONGEST_NAME)) == LONGEST_NAME


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (0b1111_1111, 0b1111_1111, True),
        (0b1111_1111, 0b1100_0000_1111, True),  # six bits
        (0b1111_1111, 0b1_1100_0000_1111, False),  # seven
        (-1, 2**63 - 1, True),  # the first bit, which is stored as the sign
        (-1, 0b1111_1111, False),
        (0b1111_1111, None, False),
        (None, None, False),
    ],
)
def test_pictures_are_alike_when_six_bits_differ_at_most(
    one: int | None, other: int | None, *, alike: bool
) -> None:
    assert pictures_alike(one, other) == pictures_alike(other, one) == alike
