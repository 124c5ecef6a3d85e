"""What to decide about a change: the danger, the answers, and what each of them puts into the decisions file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from trueup_tui.answers import answer_hint
from trueup_tui.commands import bindings_of
from trueup_tui.facts import danger_lines
from trueup_tui.offers import Offer
from trueup_tui.rows import Row
from trueup_tui.screens.confirm import PatientScreen
from trueup_tui.session import Session
from trueup_tui.widgets.bars import TooSmall
from trueup_tui.widgets.field import Field
from trueup_tui.wording import joined, lines, plain

if TYPE_CHECKING:
    from trueup_tui.app import TrueupApp


class DecideScreen(PatientScreen[None]):
    """Gives one of the offers as the answer, and stays until a plan was made with it; one that cannot be is explained.

    Args:
        session: keeps the choices.
        row: what is decided about.
        offers: the possible answers; a single one that asks for something is asked at once.
    """

    BINDINGS = bindings_of("decide")
    AUTO_FOCUS = ""

    def __init__(self, session: Session, row: Row, offers: tuple[Offer, ...]) -> None:
        super().__init__()
        self.session, self.row, self.offers = session, row, offers
        self._place = 0
        self._waiting = False

    @property
    def owner(self) -> TrueupApp:
        """The app, by its own type."""
        app: Any = self.app
        return app  # type: ignore[no-any-return]

    @property
    def offer(self) -> Offer:
        return self.offers[self._place]

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(plain(f"{self.row.table} · {self.row.title}", "bold"), classes="title")
            with VerticalScroll(id="dangers", can_focus=False):
                yield Static(Content("\n").join(danger_lines(self.row)))
            yield Static("", id="offers", markup=False)
            yield Field(id="typed", compact=True)
            yield Static("", id="meaning", markup=False)
            with VerticalScroll(id="entry", can_focus=False):
                yield Static("", id="toml", markup=False)
            yield Static("", id="keys")
        yield TooSmall()

    def on_mount(self) -> None:
        self._show()
        if len(self.offers) == 1 and self.offer.asks:
            self.query_one(Field).focus()
        self.watch(self.app, "revision", self._follow, init=False)

    # -- keys ----------------------------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        self._place = (self._place + by) % len(self.offers)
        self.set_focus(None)
        self._show()

    def action_back(self) -> None:
        if self.query_one(Field).has_focus and len(self.offers) > 1:
            self.set_focus(None)
        elif self.armed:
            self.dismiss(None)

    def action_take(self) -> None:
        if not self.armed or self._waiting:
            return
        field = self.query_one(Field)
        if self.offer.asks and not field.has_focus:
            field.focus()
            return
        typed = self._typed()
        if isinstance(typed, Offer):
            self._waiting = True
            self.owner.choose(typed.chosen(self.session.choices))
            self._say()

    def on_input_submitted(self) -> None:
        self.action_take()

    def on_input_changed(self) -> None:
        self._say()

    def on_descendant_focus(self) -> None:
        self._say()

    def on_descendant_blur(self) -> None:
        self._say()

    def _follow(self) -> None:
        """A reading has begun or ended."""
        if not self._waiting or self.session.reading:
            return
        self._waiting = False
        if self.session.refused:
            self._say(self.session.refused)
        else:
            self.dismiss(None)

    # -- showing -------------------------------------------------------------------------------------------------------

    def _typed(self) -> Offer | str:
        """The offer with what stands in the field, or why that cannot be."""
        try:
            return self.offer.typed(self.row, self.query_one(Field).value) if self.offer.asks else self.offer
        except ValueError as error:
            return str(error) or "That is not possible."

    def _show(self) -> None:
        """Another offer is in front."""
        self.query_one("#offers", Static).update(Content("\n").join(self._listed()))
        field = self.query_one(Field)
        field.display = bool(self.offer.asks)
        field.select_on_focus = self.offer.asks != "sql"  # an expression is edited, a value is typed
        field.value = self.offer.example
        field.cursor_position = len(field.value)
        self._say()

    def _listed(self) -> Iterator[Content]:
        for place, offer in enumerate(self.offers):
            here = place == self._place
            yield Content.assemble("› " if here else "  ", plain(offer.label, "bold" if here else ""))

    def _say(self, wrong: str = "") -> None:
        """What would be written, and which keys act."""
        typed = self._typed()
        if isinstance(typed, str) and self.query_one(Field).has_focus:
            wrong = wrong or typed
        hint = plain(answer_hint(self.offer.asks, self.row), "dim")
        meaning = self.query_one("#meaning", Static)
        meaning.update(plain(wrong, "$diff-drop") if wrong else hint)
        meaning.display = bool(wrong or self.offer.asks)
        shown = typed if isinstance(typed, Offer) else self.offer
        file = self.session.settings.decisions
        what = "No longer in" if shown.back else "For"
        where = plain(f"{what} {file.name if file else 'the decisions'}, which w writes, and every run:", "dim")
        self.query_one("#toml", Static).update(Content.assemble(where, "\n", lines(shown.entry)))
        self.query_one("#keys", Static).update(self._keys())

    def _keys(self) -> Content:
        if self._waiting:
            return Content("Planning with it … ")
        typing = self.offer.asks and not self.query_one(Field).has_focus
        parts = [Content.assemble(("↑↓", "bold $key"), " other answers")] if len(self.offers) > 1 else []
        parts.append(Content.assemble(("↵", "bold $key"), " types it" if typing else " takes it"))
        parts.append(Content.assemble(("esc", "bold $key"), " goes back"))
        return joined(parts)
