"""Documents that go out, written as XML and as JSON.

It may import `model/` and `address/`. Begin with `snapshot.py`, then `render_xml.py`.
"""
