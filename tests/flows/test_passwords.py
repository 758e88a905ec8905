"""Hashing passwords: the right one only, in a bounded queue, beside everything else."""

import asyncio
from collections.abc import Iterator

import pytest
from argon2 import extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

from app.process.passwords import NOBODY, Passwords, Turn
from app.storage.errors import StoreUnavailableError


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    passwords = Passwords(threads=1)
    yield passwords
    passwords.close()


async def test_right_password_only_is_right(passwords: Passwords) -> None:
    hashed = await passwords.hash("correct horse")
    assert await passwords.verify(hashed, "correct horse")
    for wrong in ("", "correct horse ", "Correct horse", "correct horse\0", "nobody"):
        assert not await passwords.verify(hashed, wrong)


async def test_same_password_is_never_hashed_alike(passwords: Passwords) -> None:
    assert await passwords.hash("correct horse") != await passwords.hash("correct horse")


async def test_address_nobody_has_never_matches(passwords: Passwords) -> None:
    """R-54: of any password, and at the cost of a hash that is somebody's."""
    for password in ("", "nobody", "A" * 43):
        assert not await passwords.verify(None, password)
    somebodys, nobodys = (extract_parameters(each) for each in (await passwords.hash("x"), NOBODY))
    assert nobodys == somebodys


@pytest.mark.parametrize("stored", ["plain", "$argon2id$v=19$m=1,t=1,p=1$x$y", "$2b$12$" + "x" * 53])
async def test_damaged_hash_is_a_fault_and_not_a_wrong_password(passwords: Passwords, stored: str) -> None:
    """Told as wrong, a broken row would look like a forgetful customer for ever."""
    with pytest.raises((InvalidHashError, VerificationError)):
        await passwords.verify(stored, "plain")


async def test_flood_waits_outside(passwords: Passwords) -> None:
    """R-60: one thread, eight that wait, the rest is told to come back; afterwards all is as before."""
    asked = [passwords.verify(None, "x") for _ in range(12)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [bool] * 9 + [StoreUnavailableError] * 3
    assert await passwords.verify(await passwords.hash("x"), "x")


async def test_no_asker_has_more_than_half_of_the_places(passwords: Passwords) -> None:
    """R-60: of nine places five, whichever of its networks an address is counted by; the others are for the others."""
    flood = [passwords.verify(None, "x", Turn((f"/64 {number}", "/48"))) for number in range(8)]
    others = [passwords.verify(None, "x", Turn(("another",))) for _ in range(4)]
    answers = await asyncio.gather(*flood, *others, return_exceptions=True)
    assert [type(answer) for answer in answers] == [bool] * 5 + [StoreUnavailableError] * 3 + [bool] * 4
    assert not passwords._taken_by


async def test_hashing_leaves_the_loop_free(passwords: Passwords) -> None:
    """R-60, R-110"""
    hashing = asyncio.gather(*(passwords.hash("x") for _ in range(5)))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0.001)
        turns += 1
    await hashing
    assert turns > 20


async def test_person_who_went_away_gives_up_their_place(passwords: Passwords) -> None:
    """R-86"""
    waiting = [asyncio.ensure_future(passwords.hash("x")) for _ in range(9)]
    await asyncio.sleep(0)
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await passwords.hash("x")
