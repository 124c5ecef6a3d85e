"""Files packed with zstd (https://www.rfc-editor.org/rfc/rfc8878), written and read in small pieces.

Python has it from 3.14 on (https://docs.python.org/3.14/library/compression.zstd.html); to older ones the package
backports.zstd gives the same. The command ``zstd`` reads and writes these files as well.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import IO

from trueup.checksums import CHUNK
from trueup.limits import Limits
from trueup.run import PACKED

MISSING = "this Python cannot read zstd: install trueup[zstd], or unpack the file by the command zstd -d"
_LEVEL = 1
"""Measured, the default of 3 takes twice as long and makes files a tenth smaller; a server waits for it."""


class Unreadable(OSError):
    """A packed file is damaged or is none, or Python cannot read it. The message says which."""


def installed() -> bool:
    """Whether this Python can pack and unpack."""
    try:
        _library()
    except ImportError:
        return False
    return True


def pack(source: Path, packed: Path, limits: Limits) -> None:
    """Write a packed copy of a file.

    Raises:
        OSError: one of them cannot be read or written.
        ImportError: this Python cannot pack.
        Cancelled, TimeLimitReached: the limits ended it.
    """
    library = _library()
    options = {
        library.CompressionParameter.compression_level: _LEVEL,
        library.CompressionParameter.checksum_flag: 1,
    }
    with source.open("rb") as file, library.open(packed, "wb", options=options) as copy:
        _pour(file, copy, limits.check)


def unpack(source: Path, copy: Path, limits: Limits) -> None:
    """Write what is in a file, packed or not, to another one. Only in the thread of the run: its limits are beaten.

    Raises:
        Unreadable: the packed file cannot be read.
        OSError: one of them cannot be read or written.
        Cancelled, TimeLimitReached: the limits ended it.
    """

    def go_on() -> None:
        limits.check()
        limits.beat()

    with opened(source) as file, copy.open("wb") as plain:
        _pour(file, plain, go_on)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """What is in a file, unpacked where its name says that it is packed.

    Raises:
        Unreadable: the packed file cannot be read; also when that is found in the context.
        OSError: there is no file, or it cannot be read.
    """
    if path.suffix != PACKED:
        with path.open("rb") as file:
            yield file
        return
    try:
        library = _library()
    except ImportError as error:
        raise Unreadable(MISSING) from error
    try:
        with library.open(path, "rb") as file:
            yield file
    except (library.ZstdError, EOFError) as error:
        raise Unreadable(f"it cannot be unpacked: {error}") from error


def _pour(source: IO[bytes], copy: IO[bytes], go_on: Callable[[], None]) -> None:
    while chunk := source.read(CHUNK):
        go_on()
        copy.write(chunk)


def _library() -> ModuleType:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd
