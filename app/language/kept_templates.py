"""Templates that another process has compiled: their code is kept where Python keeps that of modules."""

import sys
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket, FileSystemBytecodeCache


class KeptTemplates(FileSystemBytecodeCache):
    """The code of a folder's templates, in the `__pycache__` beside it. Whoever may write there is trusted already.

    made_by: the source of what sets Jinja up, with which the code changes. Where nothing can be kept, nothing is.
    """

    def __init__(self, folder: Path, *, made_by: str) -> None:
        kept = Path(cache_from_source(f"{folder}.py")).parent
        super().__init__(f"{kept}", f"{folder.name}.%s.{sys.implementation.cache_tag}.jinja")
        self._made_by = f"{jinja2.__version__}{made_by}"

    def get_source_checksum(self, source: str) -> str:
        return super().get_source_checksum(self._made_by + source)

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                Path(self.directory).mkdir(exist_ok=True)
                super().dump_bytecode(bucket)
