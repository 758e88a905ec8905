"""`make bench-peers`: the service beside other authorization servers, each set up as its documentation says."""
