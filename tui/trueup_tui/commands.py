"""Every key of the app, in one table that the bindings, the bar, the help and ``docs/keys.md`` come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from textual.binding import Binding, BindingType

_SHOWN = {
    "space": "␣",
    "question_mark": "?",
    "slash": "/",
    "escape": "esc",
    "enter": "↵",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
}


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that a key does."""

    id: str
    keys: str
    """As Textual names them, separated by commas."""
    action: str
    label: str
    """One or two words, for the bar."""
    words: str
    """A sentence, for the help."""
    in_bar: bool = False

    @property
    def place(self) -> str:
        return self.id.partition(".")[0]

    @property
    def shown(self) -> str:
        """The keys as people know them: ``j ↓``."""
        return " ".join(_SHOWN.get(key, key) for key in self.keys.split(","))


PLACES = {
    "app": "Everywhere",
    "list": "Moving in a list",
    "text": "Moving in a text",
    "diff": "Drift",
    "rename": "Rename or not",
    "decide": "What to decide",
    "filter": "Filter",
    "preview": "Preview",
    "apply": "Apply and result",
    "backups": "Backups",
    "history": "History",
    "health": "Health",
    "undo": "Undo",
    "confirm": "A question",
    "ask": "A value to type",
    "palette": "Commands",
    "help": "Help",
}

COMMANDS = (
    Command("app.help", "question_mark", "help", "Help", "Show the keys of this place.", True),
    Command("app.palette", "ctrl+p", "palette", "Commands", "Find what can be done here by its words, and do it."),
    Command("app.drift", "1", "place('drift')", "Drift", "Go to the differences."),
    Command("app.backups", "2", "place('backups')", "Backups", "Go to the backups."),
    Command("app.history", "3", "place('history')", "History", "Go to the runs that were."),
    Command("app.health", "4", "place('health')", "Health", "Go to how well the database is."),
    Command("app.quit", "q,ctrl+q", "quit", "Quit", "Leave; asks when a run or answers would be lost.", True),
    Command("app.interrupt", "ctrl+c", "interrupt", "Stop", "Ask whether to cancel the run; without one, leave."),
    Command("list.down", "j,down", "cursor_down", "Down", "One line down."),
    Command("list.up", "k,up", "cursor_up", "Up", "One line up."),
    Command("list.top", "g,home", "top", "Top", "To the first line."),
    Command("list.bottom", "G,end", "bottom", "Bottom", "To the last line."),
    Command("list.page_down", "ctrl+d,pagedown", "page_down", "Page down", "A page down."),
    Command("list.page_up", "ctrl+u,pageup", "page_up", "Page up", "A page up."),
    Command("list.fold", "h,left", "fold", "Fold", "Fold the table's changes away."),
    Command("list.unfold", "l,right", "unfold", "Unfold", "Show the table's changes."),
    Command("text.down", "j,down", "scroll_down", "Down", "One line down."),
    Command("text.up", "k,up", "scroll_up", "Up", "One line up."),
    Command("text.top", "g,home", "scroll_home", "Top", "To the first line."),
    Command("text.bottom", "G,end", "scroll_end", "Bottom", "To the last line."),
    Command("text.page_down", "ctrl+d,pagedown", "page_down", "Page down", "A page down."),
    Command("text.page_up", "ctrl+u,pageup", "page_up", "Page up", "A page up."),
    Command("diff.toggle", "space", "take_or_skip", "Take/skip", "Take the change into this run, or skip it.", True),
    Command("diff.rename", "r", "rename", "Rename", "Answer whether this is a rename.", True),
    Command("diff.decide", "d", "decide", "Decide", "Show what can be decided about it, or take it back.", True),
    Command("diff.fill", "f", "fill", "Fill", "Say what rows get that have no value for it."),
    Command("diff.next", "n", "next_open", "Next ?", "To the next open question.", True),
    Command("diff.previous", "N", "previous_open", "Previous ?", "To the previous open question."),
    Command("diff.filter", "slash", "filter", "Filter", "Show only changes with some text in them.", True),
    Command("diff.keep", "i", "keep", "Keep", "Leave it as the database has it, for good."),
    Command("diff.undo", "z", "undo", "Undo", "Take the last choice back."),
    Command("diff.write", "w", "write", "Write", "Write the answers to the decisions file now."),
    Command("diff.reload", "R", "reload", "Read again", "Read the models and the database again."),
    Command("diff.preview", "p", "preview", "Preview", "Show what would run.", True),
    Command("diff.run", "a", "run", "Run", "Go to the run that is on, or to the last one."),
    Command("diff.pane", "tab", "app.focus_next", "Pane", "To the other pane."),
    Command("rename.yes", "y", "answer('rename')", "rename", "It is a rename: the values stay."),
    Command("rename.keep", "n", "answer('keep')", "not a rename, keep the old", "No rename; the old one stays."),
    Command("rename.drop", "d", "answer('drop')", "not a rename, drop the old", "No rename; the old one is dropped."),
    Command("rename.other", "o", "other", "another pair", "Ask about the next possible name."),
    Command("rename.close", "escape", "close", "later", "Answer later."),
    Command("decide.down", "j,down", "move(1)", "Down", "To the next answer."),
    Command("decide.up", "k,up", "move(-1)", "Up", "To the answer before."),
    Command("decide.take", "enter", "take", "Take", "Give this answer; first its value is typed, where it needs one."),
    Command("decide.back", "escape", "back", "Back", "Back to the answers, or to the differences."),
    Command("filter.done", "enter,down", "done", "To the list", "Back to the list, filtered."),
    Command("filter.clear", "escape", "clear", "Clear", "Show everything again."),
    Command("preview.apply", "A", "apply", "Apply", "Apply exactly this; asks.", True),
    Command("preview.backup", "b", "backup", "Backup", "Make a backup first, or not.", True),
    Command("preview.limit", "t", "limit", "Time limit", "Change how long the run may take.", True),
    Command("preview.rehearse", "h", "rehearse", "Rehearse", "Try all of it on a copy of the database."),
    Command("preview.reload", "R", "reload", "Read again", "Read again and plan anew."),
    Command("preview.pane", "tab", "app.focus_next", "Pane", "To the other pane."),
    Command("preview.back", "escape", "back", "Back", "Back to the differences.", True),
    Command("apply.cancel", "c", "cancel", "Cancel", "Stop and roll back; asks.", True),
    Command("apply.more", "t", "more", "More time", "Allow the run more time.", True),
    Command("apply.drift", "d", "drift", "Drift again", "Back to the differences, read again.", True),
    Command("apply.pane", "tab", "app.focus_next", "Pane", "To the next pane."),
    Command("apply.back", "escape", "back", "Back", "Leave this place; the run goes on.", True),
    Command("backups.make", "b", "make", "Back up", "Make a backup now; it is read back and checked.", True),
    Command("backups.verify", "v", "verify('QUICK')", "Verify", "Read the whole backup again and check it.", True),
    Command(
        "backups.full", "f", "verify('FULL')", "Full check", "Read it again, and hold every index against its table."
    ),
    Command(
        "backups.trial", "t", "verify('TRIAL')", "Trial", "Read it again, and restore it into a scratch file for trial."
    ),
    Command("backups.compare", "d", "compare", "Diff", "Show what changed in the database since the backup.", True),
    Command("backups.export", "e", "export", "Export", "Copy the backup to another place; asks where."),
    Command("backups.restore", "r", "restore", "Restore", "Put the backup in place of the database; asks.", True),
    Command("backups.delete", "x", "delete", "Delete", "Delete the backup; asks, and again where it is needed.", True),
    Command("backups.cancel", "c", "cancel", "Cancel", "Stop what is on here; the database stays as it was."),
    Command("backups.reload", "R", "reload", "Read again", "Read the list again."),
    Command("backups.pane", "tab", "app.focus_next", "Pane", "To the other pane."),
    Command("backups.back", "escape", "app.place('drift')", "Drift", "Back to the differences.", True),
    Command("history.undo", "u", "undo", "Undo", "Show what would take the run back.", True),
    Command("history.statistics", "s", "statistics", "Statistics", "Count the runs, and name the last failures.", True),
    Command("history.clean", "x", "clean", "Clean up", "Show what is old and may go from the history; asks.", True),
    Command("history.baseline", "b", "baseline", "Baseline", "Record the database as a starting point; asks.", True),
    Command("history.cancel", "c", "cancel", "Cancel", "Stop what is on here; the database stays as it was."),
    Command("history.run", "a", "run", "Run", "Go to the run that is on, or to the last one."),
    Command("history.reload", "R", "reload", "Read again", "Read the history again."),
    Command("history.pane", "tab", "app.focus_next", "Pane", "To the other pane."),
    Command("history.back", "escape", "app.place('drift')", "Drift", "Back to the differences.", True),
    Command("health.open", "enter", "open", "Go there", "Go where something can be done about the finding.", True),
    Command("health.reload", "R", "reload", "Examine again", "Examine the database again.", True),
    Command("health.cancel", "c", "cancel", "Cancel", "Stop the examination; nothing was written.", True),
    Command("health.pane", "tab", "app.focus_next", "Pane", "To the other pane."),
    Command("health.back", "escape", "app.place('drift')", "Drift", "Back to the differences.", True),
    Command("undo.apply", "A", "apply", "Undo", "Take the run back by exactly this; asks.", True),
    Command("undo.reload", "R", "reload", "Read again", "Plan the undo anew.", True),
    Command("undo.pane", "tab", "app.focus_next", "Pane", "To the other pane."),
    Command("undo.back", "escape", "back", "Back", "Back to the runs.", True),
    Command("confirm.yes", "y", "yes", "yes", "Do it."),
    Command("confirm.no", "escape", "no", "back", "Do not do it."),
    Command("ask.done", "enter", "done", "Done", "Take the value."),
    Command("ask.cancel", "escape", "cancel", "Back", "Leave it as it is."),
    Command("palette.down", "down", "move(1)", "Down", "To the next command."),
    Command("palette.up", "up", "move(-1)", "Up", "To the command before."),
    Command("palette.take", "enter", "take", "Take", "Do it; what asks when its key is pressed asks here as well."),
    Command("palette.back", "escape", "back", "Back", "Do nothing."),
    Command("help.close", "escape,q,question_mark", "close", "Close", "Close the help."),
)


def commands_of(place: str) -> tuple[Command, ...]:
    """The commands of a place, in the order of the table."""
    return tuple(command for command in COMMANDS if command.place == place)


def way_to(place: str) -> Command:
    """The command that leads to a place."""
    return next(command for command in COMMANDS if command.id == f"app.{place}")


def bindings_of(*places: str) -> list[BindingType]:
    """The same as Textual's bindings; every one can be bound to another key by its id."""
    return [
        Binding(command.keys, command.action, command.label, show=False, id=command.id)
        for place in places
        for command in commands_of(place)
    ]


def bar_of(place: str) -> tuple[Command, ...]:
    """What stands in the bar at the bottom: help first, leaving last."""
    everywhere = [command for command in commands_of("app") if command.in_bar]
    return (everywhere[0], *(command for command in commands_of(place) if command.in_bar), *everywhere[1:])


def as_markdown() -> str:
    """The text of ``docs/keys.md``."""
    return "\n".join(_markdown())


def _markdown() -> Iterator[str]:
    yield "# The keys of the app"
    yield ""
    yield "Written from `tui/trueup_tui/commands.py`, where each key stands once. A key that cannot act now says why."
    for place, title in PLACES.items():
        yield from ("", f"## {title}", "", "| key | what it does |", "|---|---|")
        for command in commands_of(place):
            keys = " ".join(f"`{key}`" for key in command.shown.split())
            yield f"| {keys} | {command.words} |"
    yield ""
