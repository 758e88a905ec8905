"""What each role of an account may do, and that nothing else is a role."""

import pytest

from app.oauth.member_role import ROLES, MemberRole, Right, may, roles_with

MAY: dict[MemberRole, tuple[Right, ...]] = {
    "owner": ("look", "connect", "manage"),
    "connector": ("look", "connect"),
    "viewer": ("look",),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("right", ["look", "connect", "manage"])
def test_each_role_may_what_it_is_for_and_no_more(role: MemberRole, right: Right) -> None:
    assert may(role, right) is (right in MAY[role])


def test_a_stranger_may_nothing() -> None:
    assert not [right for right in MAY["owner"] if may(None, right)]


def test_every_role_is_said_and_looks() -> None:
    assert set(ROLES) == MAY.keys()
    assert roles_with("look") == ROLES
    assert roles_with("connect") == ("owner", "connector")
    assert roles_with("manage") == ("owner",)
