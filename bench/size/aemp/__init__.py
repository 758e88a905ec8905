"""`make bench-aemp`: larger fleets and longer histories."""
