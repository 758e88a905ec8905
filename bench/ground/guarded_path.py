"""Addresses behind a bearer guard, for those that serve them and those that ask for them."""

GUARDED = "/bench/guarded"  # nothing but the guard
PAGE = "/bench/page"  # a finished page, which the bare limit sends
