"""`make bench-limit`: the service beside a bare server that does the same input and output."""
