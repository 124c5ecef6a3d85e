"""Questions: yes or no, or a value. A dialog answers and does nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Button, Input, Static

from trueup import visible
from trueup_tui.commands import bindings_of
from trueup_tui.widgets.bars import TooSmall
from trueup_tui.widgets.field import Field
from trueup_tui.wording import plain

PATIENCE = 0.4
"""Seconds in which a new dialog hears no key: those were meant for what was there before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked before something is done."""

    title: str
    sentences: tuple[str, ...]
    yes: str
    """What ``y`` does, as words after it."""
    no: str = "goes back"
    name: str = ""
    """Not empty when it must be typed first, exactly."""
    kind: str = "name"
    """What the name is, for the sentence that asks for it."""


class PatientScreen(ModalScreen[ScreenResultType]):
    """Hears nothing until it has been seen for a moment."""

    armed = False
    patience = PATIENCE

    def on_mount(self) -> None:
        self.call_after_refresh(lambda: self.set_timer(self.patience, self.arm))

    def arm(self) -> None:
        self.armed = True


class YesButton(Button, inherit_bindings=False):
    """Can be clicked; Enter does not press it."""


class ConfirmScreen(PatientScreen[bool]):
    """Asks; ``y`` is yes, everything else is not. The safe answer has the focus."""

    BINDINGS = bindings_of("confirm")

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question

    def compose(self) -> ComposeResult:
        question = self.question
        with VerticalScroll(id="dialog", can_focus=False):
            yield Static(plain(question.title, "bold $diff-open"), classes="title")
            yield Static(Content("\n").join(plain(sentence) for sentence in question.sentences), classes="sentences")
            if question.name:
                yield Static(self._what_to_type(), classes="sentences")
                yield Field(max_length=len(visible(question.name)), select_on_focus=False)
            yield Static("", id="keys")
            with Horizontal(id="buttons"):
                yield Button("Back", id="no", compact=True)
                yield YesButton("Yes", id="yes", compact=True, disabled=bool(question.name))
        yield TooSmall()

    def on_mount(self) -> None:
        self._say_keys(ready=not self.question.name)
        self.query_one(Input if self.question.name else "#no").focus()

    def arm(self) -> None:
        for field in self.query(Input):
            field.clear()
        super().arm()

    def _what_to_type(self) -> Content:
        return Content.assemble(
            f"Type the {self.question.kind} to go on:\n", plain(self.question.name, "bold $diff-drop")
        )

    def on_input_changed(self, event: Input.Changed) -> None:
        ready = event.value == visible(self.question.name)
        self.query_one("#yes", Button).disabled = not ready
        self._say_keys(ready=ready)

    def _say_keys(self, *, ready: bool) -> None:
        move = "tab, then " if self.question.name else ""
        yes = Content.assemble(move, ("y", "bold $key"), f" {self.question.yes} · ") if ready else Content("")
        self.query_one("#keys", Static).update(Content.assemble(yes, ("esc", "bold $key"), f" {self.question.no}"))

    def action_yes(self) -> None:
        if self.armed and not self.query_one("#yes", Button).disabled:
            self.dismiss(True)

    def action_no(self) -> None:
        if self.armed:
            self.dismiss(False)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "yes":
            self.action_yes()
        else:
            self.action_no()


class AskScreen(PatientScreen[str | None]):
    """Asks for a value. Nothing is done with it but to answer.

    Args:
        title: what is asked.
        hint: how to answer.
        value: what stands there at first.
        check: says what the value means, or raises ``ValueError`` with why it is none.
    """

    BINDINGS = bindings_of("ask")

    def __init__(self, title: str, hint: str, value: str, check: Callable[[str], str]) -> None:
        super().__init__()
        self._question, self._hint, self._value, self._check = title, hint, value, check

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="dialog", can_focus=False):
            yield Static(plain(self._question, "bold"), classes="title")
            yield Static(plain(self._hint), classes="sentences")
            yield Field(self._value)
            yield Static("", id="meaning", markup=False)
            yield Static(Content.assemble(("↵", "bold $key"), " takes it · ", ("esc", "bold $key"), " goes back"))
        yield TooSmall()

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        if not self._wrong(self._value):
            self.query_one("#meaning", Static).update(self._meaning(self._value))

    def on_input_changed(self, event: Input.Changed) -> None:
        self.query_one("#meaning", Static).update(self._meaning(event.value))

    def on_input_submitted(self) -> None:
        self.action_done()

    def action_done(self) -> None:
        value = self.query_one(Input).value
        if not self.armed:
            return
        if self._wrong(value):
            self.query_one("#meaning", Static).update(self._meaning(value))
        else:
            self.dismiss(value)

    def action_cancel(self) -> None:
        if self.armed:
            self.dismiss(None)

    def _meaning(self, value: str) -> Content:
        wrong = self._wrong(value)
        return plain(wrong, "$diff-drop") if wrong else plain(self._check(value), "dim")

    def _wrong(self, value: str) -> str:
        try:
            self._check(value)
        except ValueError as error:
            return str(error) or "That is not possible."
        return ""
