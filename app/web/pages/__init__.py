"""The pages that people see, with their templates, pictures and styles.

They may import the loose files of `web/`. Begin with `consent.py`; `render.py` says what every page has in common.
"""
