"""gunicorn for the Python peers: threads, because its plain workers close a connection after each answer."""

import os

bind = f"127.0.0.1:{os.environ['PORT']}"
workers = int(os.environ["WORKERS"])
worker_class = "gthread"
threads = 8  # of a process; with 4 and with 16 a request costs the same
keepalive = 60  # as ours
accesslog = None
loglevel = "warning"
