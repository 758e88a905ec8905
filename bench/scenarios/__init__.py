"""`make bench`: users that locust simulates, and whether the service carries them."""
