"""The private PostgreSQL and Valkey of a data directory: started, or attached to, and shared by its users.

Several processes hold one data directory. The first of them starts the keeper, a small process of its own that
runs both servers, starts them again when they die, and stops them when the last holder has gone:

    attachment  what callers use: a share in holders.lock, and a watch that replaces a dead keeper
    keeper      the process behind keeper.lock
    home        the servers' own files, made once     folders, accounts   where they lie, and whose they are
    postgres, valkey    the two programs              processes, confine  how programs are run and ended
"""

from app.embedded.attachment import Embedded, attach
from app.embedded.errors import EmbeddedError
from app.embedded.folders import default_data_dir

__all__ = ["Embedded", "EmbeddedError", "attach", "default_data_dir"]
