"""What the service does by itself: partitions, retention, figures of the last day, signing keys.

It may import `fleet/`. Begin with `maintain.py`.
"""
