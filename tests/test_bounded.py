"""What strangers may fill stays small, and forgets its oldest."""

from app.bounded import Bounded


def test_a_new_entry_takes_the_place_of_the_oldest() -> None:
    kept = Bounded[str, int](2)
    assert [kept.put(name, number) for number, name in enumerate("abc")] == [None, None, "a"]
    assert dict(kept) == {"b": 1, "c": 2}


def test_an_entry_that_is_replaced_displaces_nobody_and_keeps_its_age() -> None:
    kept = Bounded[str, int](2)
    for name, number in (("a", 1), ("b", 2), ("a", 3)):
        assert kept.put(name, number) is None
    assert kept.put("c", 4) == "a"
    assert dict(kept) == {"b": 2, "c": 4}


def test_one_without_room_keeps_nothing() -> None:
    kept = Bounded[str, int](0)
    assert [kept.put(name, 1) for name in "aab"] == [None] * 3
    assert not kept
