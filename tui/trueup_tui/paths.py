"""What is meant by a path that a person types."""

from __future__ import annotations

from pathlib import Path


def new_file(name: str, text: str) -> Path:
    """The file that is meant by what was typed.

    Args:
        name: of the file, where a directory was typed.
        text: a file or a directory; ``~`` is the home of the person.

    Raises:
        ValueError: there can be no new file; the message says why.
    """
    if not text.strip():
        raise ValueError("A path is missing.")
    try:
        path = Path(text.strip()).expanduser().absolute()
        place = path / name if path.is_dir() else path
        if place.exists():
            raise ValueError(f"{place} is there already, and nothing is overwritten.")
        if not place.parent.is_dir():
            raise ValueError(f"There is no directory {place.parent}.")
    except (OSError, RuntimeError) as error:  # too long a name, no permission to look, nobody's home
        raise ValueError(f"That is no place for a file: {error}") from error
    return place
