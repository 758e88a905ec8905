"""`make bench-strain`: floods of forged tokens, and three times more than a slow store takes."""
