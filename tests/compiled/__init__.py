"""A copy of the working tree whose hot rooms are machine code, as the image has them, and the suite run in it."""
