"""A copy of the working tree whose hot rooms are machine code, and the suite run in it."""
