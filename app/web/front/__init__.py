"""Every request passes here before and after its handler.

The service gives it an id, a line in the log and a measurement, and sends the hot paths past the framework.
It may import `door/` and the handlers of `web/oauth/`, `web/api/`, `web/pages/` and `web/reference/`. Begin with `service.py`; `hot.py` lists those paths.
"""
