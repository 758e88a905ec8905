"""`make bench-growth`: more tokens, more workers, more connections."""
