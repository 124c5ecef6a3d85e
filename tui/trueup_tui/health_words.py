"""How well the database is, in words: the line on top, each finding with the way out, and all that was looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text
from textual.content import Content

from trueup import Health, HealthFinding, HealthLevel, HealthState
from trueup_tui.commands import way_to
from trueup_tui.session import Session
from trueup_tui.tasks import progress_of
from trueup_tui.wording import ago, count, failure, joined, paragraph, plain

_MARKS = {HealthLevel.NOTE: "·", HealthLevel.WARNING: "!", HealthLevel.CRITICAL: "✗"}
_STYLES = {HealthLevel.NOTE: "$key", HealthLevel.WARNING: "$diff-open", HealthLevel.CRITICAL: "$diff-drop"}
_INKS = {HealthLevel.NOTE: "cyan", HealthLevel.WARNING: "yellow", HealthLevel.CRITICAL: "red"}
"""The same for Rich, which does not know the theme's."""
_STATES = {
    HealthState.HEALTHY: ("✓ healthy", "$diff-add"),
    HealthState.WARNING: ("! something should be done", "$diff-open"),
    HealthState.CRITICAL: ("✗ data is lost, or may be", "$diff-drop"),
}
_BLIND = ("not-all-checked", "database-unreadable", "database-missing", "database-busy")
"""With these not everything was seen, so what no finding is about need not be well."""


@dataclass(frozen=True, slots=True)
class Lead:
    """Where something can be done about a finding."""

    place: str
    words: str
    """What is there."""


_RESTORES = Lead("backups", "r there puts one in place of the database")
_MAKES = Lead("backups", "b there makes one now")
_DELETES = Lead("backups", "x there deletes what nobody needs")
_DIFFERS = Lead("drift", "there is what differs, and what to decide")
LEADS = {
    "database-missing": _RESTORES,
    "database-damaged": _RESTORES,
    "database-unreadable": Lead("backups", "there is what could be restored"),
    "no-database-yet": Lead("drift", "p there shows what would make it"),
    "disk-space": _DELETES,
    "models": Lead("drift", "there it stands where they fail"),
    "drift": _DIFFERS,
    "differences-left": _DIFFERS,
    "not-compared": _DIFFERS,
    "tables-left-behind": Lead("drift", "the last line there names what is left alone"),
    "last-run": Lead("history", "there is all that is known of it"),
    "failures": Lead("history", "s there counts the runs, and names the last failures"),
    "run-goes-on": Lead("history", "there it is the first one"),
    "backups-impossible": Lead("backups", "there is what can be listed"),
    "no-good-backup": _MAKES,
    "old-backup": _MAKES,
    "bad-backups": _DELETES,
    "backup-not-verified": Lead("backups", "t there restores one for trial"),
    "backup-storage": _DELETES,
}

_AREAS = {
    "database": "It is whole, its references hold, and its disk has room.",
    "models": "The database is as they want it, and nobody else changed it.",
    "runs": "None failed lately, and none hangs.",
    "backups": "They can be made, are good, and do not take too much room.",
}
_AREA_OF = {
    "models": "models",
    "drift": "models",
    "differences-left": "models",
    "not-compared": "models",
    "last-run": "runs",
    "failures": "runs",
    "run-goes-on": "runs",
    "backups-impossible": "backups",
    "backups-off": "backups",
    "no-good-backup": "backups",
    "old-backup": "backups",
    "bad-backups": "backups",
    "backup-not-verified": "backups",
    "backup-storage": "backups",
    "half-written": "backups",
}
"""What every finding is about; any other is about the database."""


def headline_of(session: Session) -> Content:
    """``! something should be done · 74 of 100 · 3 findings · examined 4 s ago``."""
    health = session.health
    if health is None:
        return Content("")
    return Content.assemble(" ", joined([*_headline(health, session)]))


def _headline(health: Health, session: Session) -> Iterator[Content | str]:
    words, style = _STATES[health.state]
    yield Content.styled(words, f"bold {style}")
    yield f"{health.score} of 100"
    if health.findings:
        yield count(len(health.findings), "finding")
    if "health" in session.outdated:
        yield Content.assemble("out of date: ", ("R", "bold $key"))
    else:
        yield f"examined {ago(health.checked_at, session.clock.now())}"


def doing_of(session: Session) -> Content:
    """That the database is being examined, since when, and how to stop it."""
    limits = session.examining
    if limits is None:
        return Content("")
    phase = "stopping" if session.stopped else "examining the database"
    return progress_of(phase, (0, 0), limits, stops=not session.stopped)


def nothing_examined(session: Session) -> tuple[str, Content]:
    """What stands in place of the findings."""
    if session.health_error is not None:
        return "The database could not be examined", failure(session.health_error, session.settings.url)
    if session.examining is not None:
        return "Examining", Content("The file, its backups, its runs, how it stands to the models, and every page …")
    if session.running:
        return "Not examined yet", plain(f"{session.busy} The database is examined when it has ended.")
    return "Not examined", Content.assemble(("R", "bold $key"), " examines the database")


def option_of(finding: HealthFinding) -> Table:
    """A finding with what to do about it, and where; its lines stay under one another however wide the place is."""
    grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
    grid.add_column(width=10)
    grid.add_column(ratio=1)
    grid.add_row(_level(finding.level), paragraph(finding.sentence))
    if finding.recommendation:
        grid.add_row("", paragraph(f"→ {finding.recommendation}"))
    lead = LEADS.get(finding.rule)
    if lead is not None:
        way = way_to(lead.place)
        grid.add_row("", Text(f"↵ {way.shown} {way.label}: {lead.words}", style="dim"))
    grid.add_row("", "")
    return grid


def _level(level: HealthLevel) -> Text:
    return Text(f"{_MARKS[level]} {level}", style=f"bold {_INKS[level]}")


def areas_of(health: Health) -> Content:
    """Everything that was looked at, and whether something is wrong with it."""
    return Content("\n").join(_areas(health))


def _areas(health: Health) -> Iterator[Content]:
    if not health.findings:
        yield from (Content.styled("Nothing is wrong.", "bold"), Content(""))
    blind = any(finding.rule in _BLIND for finding in health.findings)
    for area, well in _AREAS.items():
        levels = [item.level for item in health.findings if _AREA_OF.get(item.rule, "database") == area]
        if levels:
            mark, style, words = _MARKS[levels[0]], _STYLES[levels[0]], f"{count(len(levels), 'finding')}, see above"
        elif blind:
            mark, style, words = "?", "$diff-open", "Not everything could be seen, so this is not known."
        else:
            mark, style, words = "✓", "$diff-add", well
        yield Content.assemble((f"{mark} ", style), (f"{area:<10}", "bold"), words)
