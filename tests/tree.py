"""Everything in a directory, so that two moments can be compared to the last byte."""

from __future__ import annotations

import hashlib
from pathlib import Path

Entry = tuple[int, str, int]
"""Size, hash of the content, and the time of the last change in nanoseconds."""


class Tree(dict[str, Entry]):
    """Every file by its name. Directories are there by name only: SQLite itself may make and remove files in them."""

    @classmethod
    def of(cls, directory: Path) -> Tree:
        return cls({str(path.relative_to(directory)): _entry(path) for path in sorted(directory.rglob("*"))})


def _entry(path: Path) -> Entry:
    if path.is_dir():
        return 0, "directory", 0
    stat = path.stat()
    return stat.st_size, hashlib.sha256(path.read_bytes()).hexdigest(), stat.st_mtime_ns
