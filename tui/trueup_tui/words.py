"""The sentences about a whole session: the verdict on top, and what stands there when there is no list of changes."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path

from textual.content import Content

import trueup
from trueup import Plan, visible
from trueup_tui.session import Session
from trueup_tui.wording import about, count, joined, number, plain, what_went_wrong, without_secret

_FRAMES = 5
"""How many of the last calls of the user's own code are shown."""


def verdict_line(session: Session) -> Content:
    """``7 differences · 5 will run, ~54 s · 1 to decide · 1 deletes data (skipped)``."""
    if session.error is not None:
        return Content.styled(" The two sides could not be compared.", "bold $diff-drop")
    if session.plan is None:
        return Content(" Reading …")
    if not session.rows:
        return Content.styled(" No differences.", "bold $diff-add")
    return Content.assemble(" ", joined(list(_verdict(session, session.plan))))


def _verdict(session: Session, plan: Plan) -> Iterator[Content | str]:
    rows = session.rows
    if session.notice:
        yield plain(session.notice, "bold $diff-open")
    if plan.in_step:
        yield Content.styled("In step", "bold $diff-add")
        yield count(len(rows), "object stays as it is", "objects stay as they are")
        return
    yield Content.styled(count(len(rows), "difference"), "bold")
    taken = [row for row in rows if row.taken]
    if taken:
        yield f"{number(len(taken))} will run, {about(plan.estimate)}"
    if session.open:
        yield Content.styled(f"{number(len(session.open))} to decide", "bold $diff-open")
    losing = sum(row.loses for row in taken)
    if losing:
        yield Content.styled(f"{number(losing)} {'deletes' if losing == 1 else 'delete'} data", "bold $diff-drop")
    skipped = [row for row in rows if not row.taken and not row.open]
    careful = sum(row.loses for row in skipped)
    if careful:
        yield f"{number(careful)} {'deletes' if careful == 1 else 'delete'} data (skipped)"
    if len(skipped) > careful:
        yield f"{number(len(skipped) - careful)} skipped"
    if plan.unsupported:
        yield f"{count(len(plan.unsupported), 'table')} cannot be read"


def no_plan(session: Session) -> tuple[str, Content]:
    """Title and text for a session without anything to review."""
    if session.error is not None:
        return "Reading failed", Content("\n").join(_error(session.error, session.settings.url))
    if session.plan is None:
        models = session.settings.models or "the models"
        return "Reading", Content("\n").join(
            [plain(f"Loading the models {models} …"), Content("Reading the database …"), Content("Comparing …")]
        )
    return "No differences.", Content("\n").join(_in_step(session, session.plan))


def _in_step(session: Session, plan: Plan) -> Iterator[Content]:
    tables = count(len(plan.managed), "table")
    yield plain(f"{plan.database} matches {plan.models} ({tables}, {session.read_seconds:.1f} s).")
    yield from (plain(sentence) for sentence in plan.spellings)
    if plan.unmanaged:
        yield plain(f"Not declared by the models, left alone: {', '.join(plan.unmanaged)}.")
    yield Content("")
    yield Content.assemble(("R", "bold $key"), " reads again · ", ("2", "bold $key"), " backups")


def _error(error: BaseException, url: str | None) -> Iterator[Content]:
    yield plain(without_secret(what_went_wrong(error), url))
    frames = _frames(error)
    if frames:
        yield Content("")
        yield from (plain(frame, "dim") for frame in frames)
    yield Content("")
    yield Content.assemble(("R", "bold $key"), " tries again · ", ("q", "bold $key"), " quits")


def _frames(error: BaseException) -> list[str]:
    """The last calls before the cause, in the user's own code."""
    cause = error.__cause__
    if cause is None:
        return []
    own = (str(Path(trueup.__file__).parent), str(Path(__file__).parent), "<")
    shown = [f for f in traceback.extract_tb(cause.__traceback__) if not f.filename.startswith(own)]
    return [f"{visible(frame.filename)}:{frame.lineno}  {frame.line or ''}" for frame in shown][-_FRAMES:]
