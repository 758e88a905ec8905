"""RoviTracker Authorization: an OAuth2 token service with the AEMP telematics API behind it."""

__version__ = "0.1.0"
