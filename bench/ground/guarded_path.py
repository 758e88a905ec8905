"""The address of the empty route behind a bearer guard, for those that serve it and those that ask for it."""

GUARDED = "/bench/guarded"
