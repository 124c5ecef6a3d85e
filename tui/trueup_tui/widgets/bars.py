"""The line at the top, which is the same everywhere, and the bar of keys at the bottom."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content
from textual.style import Style
from textual.widgets import Static

from trueup_tui.commands import bar_of
from trueup_tui.session import Session
from trueup_tui.wording import ago, count, plain, product


class StatusLine(Static):
    """What is compared with what, how old the reading is, and whether a run is on."""

    def __init__(self, session: Session) -> None:
        super().__init__(classes="status", markup=False)
        self._session = session

    def on_mount(self) -> None:
        self.watch(self.app, "revision", self.redraw)
        self.watch(self.app, "beat", self.redraw)

    def on_resize(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        run = run_words(self._session)
        left = self._fitted(self.size.width - len(run) - 2)
        gap = max(1, self.size.width - left.cell_length - len(run) - 2)
        line = Content.assemble(" ", left, " " * gap, (run, "bold $diff-open")) if run else Content.assemble(" ", left)
        self.update(line)

    def _fitted(self, room: int) -> Content:
        """As many parts as there is room for, the most telling ones first."""
        line = Content("")
        for part in self._parts():
            longer = Content.assemble(line, " · ", part) if line else part
            if longer.cell_length > room:
                break
            line = longer
        return line or plain(self._session.settings.models or "trueup")

    def _parts(self) -> Iterator[Content]:
        session = self._session
        plan = session.plan
        if plan is None:
            yield Content("trueup")
            yield plain(f"models {session.settings.models}" if session.settings.models else "no models given")
            return
        yield plain(plan.database, "bold")
        yield plain(product(plan.database))
        yield plain(f"models {plan.models} ({count(len(plan.managed), 'table')})")
        if session.reading:
            yield Content("reading again …")
        elif session.read_at is not None:
            yield Content(f"read {ago(session.read_at, session.clock.now())}")


def run_words(session: Session) -> str:
    """``▶ applying 4/8`` while a run is on."""
    progress = session.progress
    if session.restoring:
        return "▶ restoring"
    if session.task is not None and session.at_a_task:
        return f"▶ {session.task.doing}"
    if progress is None or progress.over:
        return ""
    if progress.cancelling:
        return "▶ cancelling …"
    return f"▶ {progress.doing} {progress.current}/{len(progress.steps)}" if progress.current else f"▶ {progress.phase}"


class KeyBar(Static):
    """The most used keys; a click does the same as the key."""

    def __init__(self, place: str) -> None:
        super().__init__(classes="keys", markup=False)
        self._place = place

    def on_mount(self) -> None:
        parts = [
            Content.assemble((command.shown.split()[0], "bold $key"), f" {command.label}").stylize(
                Style.from_meta({"@click": f"screen.press('{command.id}')"})
            )
            for command in bar_of(self._place)
        ]
        self.update(Content.assemble(" ", Content("  ").join(parts)))


class TooSmall(Static):
    """Stands alone where nothing else has room."""

    def __init__(self) -> None:
        super().__init__("", classes="too-small", markup=False)

    def on_resize(self) -> None:
        self.update(f"Needs 40x10, has {self.app.size.width}x{self.app.size.height}")
