"""A run while it goes on, and what came of it. The run itself lives in the session, so this place can be left."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widgets import Static

from trueup_tui.commands import bindings_of
from trueup_tui.progress import Progress
from trueup_tui.questions import before_cancelling
from trueup_tui.result import outcome_of
from trueup_tui.run_words import bar, log_of, rows_of, steps_of, times_of, title_of
from trueup_tui.screens.confirm import ConfirmScreen
from trueup_tui.screens.place import Place
from trueup_tui.widgets.panes import TextPane
from trueup_tui.wording import clock, plain, sql

_MORE = 60.0
"""Seconds that a run without a limit worth repeating is given more."""


class ApplyScreen(Place):
    """The steps with their marks and times, the statement that runs, the log; at the end the result."""

    place = "apply"
    lists = ("text",)
    BINDINGS = bindings_of("apply")

    def compose_body(self) -> ComposeResult:
        with Vertical(id="overview"):
            yield Static("", id="bar", markup=False)
            yield Static("", id="times", markup=False)
        with Container(id="apply"):
            yield TextPane(id="steps")
            yield TextPane(id="running")
        yield TextPane(id="log")

    def on_mount(self) -> None:
        self._shown: object = None
        self._followed: int | None = None
        self.query_one("#steps").border_title = "Steps"
        self.query_one("#running").border_title = "Running now"
        self.query_one("#log").border_title = "Log"
        super().on_mount()
        self.watch(self.app, "beat", self._draw_times)
        self.query_one("#steps").focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self.redraw)  # only then the panes know how wide they are

    # -- showing -------------------------------------------------------------------------------------------------------

    def redraw(self) -> None:
        progress = self.session.progress
        if progress is None:
            return
        self._draw_times()
        log = self.query_one("#log", TextPane)
        log.show(log_of(progress), from_top=False)
        log.scroll_end(animate=False)

    def _draw_times(self) -> None:
        progress, job = self.session.progress, self.session.job
        if progress is None:
            return
        elapsed = progress.elapsed if progress.over or job is None else job.limits.elapsed
        seconds = job.limits.seconds if job is not None else self.session.time_limit
        overview = self.query_one("#overview")
        overview.border_title = title_of(progress)
        overview.set_class(progress.over and progress.error is not None, "-error")
        self.query_one("#bar", Static).update(bar(progress.done(elapsed), overview.content_size.width))
        self.query_one("#times", Static).update(times_of(progress, elapsed, seconds))
        self._draw_statement(progress)
        steps = self.query_one("#steps", TextPane)
        steps.show(steps_of(progress, elapsed, steps.content_size.width), from_top=False)
        self._follow(steps, progress)

    def _follow(self, steps: TextPane, progress: Progress) -> None:
        """Bring the line that runs into view, once for each, so that a person may look elsewhere meanwhile."""
        line = next((index for index, line in enumerate(progress.lines) if line.mark in "▶✗"), None)
        if line is not None and line != self._followed:
            self._followed = line
            steps.scroll_to(y=max(0, line - steps.content_size.height + 2), animate=False)

    def _draw_statement(self, progress: Progress) -> None:
        shown: object = progress.run or (progress.sql, self._phase, progress.rows)
        if shown == self._shown:
            return
        self._shown = shown
        pane = self.query_one("#running", TextPane)
        pane.set_class(progress.over, "-result")
        pane.border_title = "Result" if progress.over else f"Running now{rows_of(progress)}"
        if progress.over:
            pane.show(outcome_of(self.session))
        else:
            pane.show(sql(progress.sql) if progress.sql else plain(self._phase))

    @property
    def _phase(self) -> str:
        """What the run is about; while it waits for somebody there is no event, but its limits know."""
        job = self.session.job
        return job.limits.phase if job is not None else ""

    # -- keys ----------------------------------------------------------------------------------------------------------

    def action_cancel(self) -> None:
        progress = self.session.progress
        if progress is None or progress.over:
            self.refuse("Nothing runs now.")
        elif progress.cancelling:
            self.refuse("It is being cancelled; the roll-back must end.")
        else:
            self.app.push_screen(
                ConfirmScreen(before_cancelling(self.session)), lambda yes: self.owner.runner.cancel() if yes else None
            )

    def action_more(self) -> None:
        job = self.session.job
        if job is None or not self.session.running:
            self.refuse("Nothing runs now.")
        elif job.limits.seconds is None:
            self.refuse("This run has no time limit.")
        else:
            job.extend(max(_MORE, self.session.time_limit or 0.0))
            self.say(f"It may now take until {clock(job.limits.seconds)}.")
            self.owner.changed()

    def action_drift(self) -> None:
        if self.session.running:
            self.refuse("A run is on; esc leaves this place, and it goes on.")
        else:
            self.owner.read_again()
            self.dismiss(None)
            self.owner.action_place("drift")

    def action_back(self) -> None:
        self.dismiss(None)
