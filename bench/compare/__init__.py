"""`make bench-compare`: what a request costs in the working tree beside another revision."""
