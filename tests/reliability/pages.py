"""The pages of an SQLite file by what they are for: https://www.sqlite.org/fileformat2.html"""

from __future__ import annotations

PAGE = 512
"""Bytes. So small that few rows make trees of several levels."""
KINDS = (
    "header",
    "table interior",
    "table leaf",
    "index interior",
    "index leaf",
    "overflow",
    "free list",
    "pointer map",
)
_TREES = {2: "index interior", 5: "table interior", 10: "index leaf", 13: "table leaf"}


def pages_by_kind(content: bytes) -> dict[str, list[int]]:
    """Numbers of pages, from 1; every kind has some."""
    found: dict[str, list[int]] = {kind: [] for kind in KINDS}
    free = set(_free_pages(content))
    for number in range(1, len(content) // PAGE + 1):
        found[_kind(content, number, free)].append(number)
    assert all(found.values()), [kind for kind in KINDS if not found[kind]]
    return found


def _kind(content: bytes, number: int, free: set[int]) -> str:
    if number == 1:
        return "header"
    if (number - 2) % (PAGE // 5 + 1) == 0:
        return "pointer map"
    if number in free:
        return "free list"
    return _TREES.get(content[(number - 1) * PAGE], "overflow")


def _free_pages(content: bytes) -> list[int]:
    """Trunks and leaves: https://www.sqlite.org/fileformat2.html#the_freelist"""
    found, trunk = [], _number(content, 32)
    while trunk:
        place = (trunk - 1) * PAGE
        leaves = _number(content, place + 4)
        found += [trunk, *(_number(content, place + 8 + 4 * item) for item in range(leaves))]
        trunk = _number(content, place)
    return found


def _number(content: bytes, place: int) -> int:
    return int.from_bytes(content[place : place + 4], "big")
