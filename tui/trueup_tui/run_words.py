"""A run in words and signs: its bar, its times, its steps and its log."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content

from trueup import visible
from trueup_tui.progress import Line, Progress
from trueup_tui.wording import about, clock, number, plain, seconds

_MARK_STYLES = {"✓": "$diff-add", "▶": "bold $diff-open", "✗": "bold $diff-drop", "○": "dim", "·": "dim"}
_TABLE_WIDTH = 16
"""Cells for a table's name, at most."""


def title_of(progress: Progress) -> str:
    if progress.over:
        return "Done" if progress.error is None else "Not done"
    if progress.cancelling:
        return "Cancelling"
    doing = progress.doing.capitalize()
    return f"{doing}, step {progress.current} of {len(progress.steps)}" if progress.current else doing


def rows_of(progress: Progress) -> str:
    """``: 3 400 000 of 10 000 000 rows``, where rows can be counted."""
    done, total = progress.rows
    return f": {number(done)} of {number(total)} rows" if total else ""


def bar(share: float, width: int) -> Content:
    """``━━━━━━━━╸━━━━━━━━━ 46%``."""
    room = max(4, width - 5)
    full = int(room * share)
    rest = room - full
    return Content.assemble(
        ("━" * full, "$diff-add"),
        ("╺" if rest and full else "", "dim"),
        ("━" * (rest - 1 if full else rest), "dim"),
        f" {share:>4.0%}",
    )


def times_of(progress: Progress, elapsed: float, limit: float | None) -> Content:
    """How long, how long still, and what happens when it takes too long."""
    if progress.over:
        ended = "" if progress.error is None else "; the database is as it was"
        return Content(f"{seconds(progress.run.seconds if progress.run else elapsed)}{ended}")
    if progress.cancelling:
        return Content.styled("Cancelling: stops the statement, then rolls everything back.", "bold")
    end = "no time limit" if limit is None else f"at {clock(limit)} it stops and rolls everything back"
    left = progress.left(elapsed)
    known = progress.measured or elapsed <= progress.total + 1
    still = f"{about(left)} left" if known else "longer than estimated"
    return Content(f"{clock(elapsed)} elapsed · {still} · {end}")


def log_of(progress: Progress) -> Content:
    return Content("\n").join(
        Content.assemble((f"{clock(elapsed):>5} ", "dim"), plain(words)) for elapsed, words in progress.log
    )


def steps_of(progress: Progress, elapsed: float, width: int) -> Content:
    """One line for each step, with its time at the right edge."""
    lines = progress.lines
    table = min(_TABLE_WIDTH, max((cell_len(visible(line.table)) for line in lines), default=0))
    return Content("\n").join(_step(line, elapsed, table, max(width, 20)) for line in lines)


def _step(line: Line, elapsed: float, table: int, width: int) -> Content:
    time = _time(line, elapsed)
    name = _fitted(line.table, table)
    words = _fitted(line.sentence, max(4, width - table - cell_len(time) - 5))
    text = Content.assemble((f"{line.mark} ", _MARK_STYLES[line.mark]), name, " ", words, " ", (time, "dim"))
    return text.stylize("bold") if line.mark == "▶" else text


def _time(line: Line, elapsed: float) -> str:
    if line.seconds is not None:
        return seconds(line.seconds)
    if line.mark == "✗" and line.began is not None:
        return seconds(max(0.0, elapsed - line.began))
    if line.mark == "▶" and line.began is not None:
        took = max(0.0, elapsed - line.began)
        return f"{clock(took)} of {about(line.estimate if line.left is None else took + line.left)}"
    return about(line.estimate)


def _fitted(text: str, width: int) -> Content:
    content = plain(text).truncate(width, ellipsis=True)
    return Content.assemble(content, " " * max(0, width - content.cell_length))
