"""What takes its time with the history: to find what is old, to take it out, and to record a starting point."""

from __future__ import annotations

from trueup import Cleanup, Limits, Target
from trueup_tui.jobs import Core
from trueup_tui.tasks import Ending, Task, Tell
from trueup_tui.wording import count


def looking(core: Core, days: float) -> Task:
    """What would be taken out? Nothing is written."""

    age = f"is older than {days:g} days"

    def work(target: Target, _tell: Tell, _limits: Limits) -> Ending:
        found = core.plan_cleanup(target, days=days)
        if found.nothing:
            return Ending(sentence=f"Nothing that {age} may go{_kept(found)}.")
        return Ending(sentence=_gone(found, f"Of what {age} may go"), cleanup=found)

    return Task(doing="looking what is old", place="history", work=work, ends_alone=True, only_reads=True)


def cleaning(core: Core, days: float) -> Task:
    """Take it out; what is old by then is looked at again."""

    def work(target: Target, _tell: Tell, _limits: Limits) -> Ending:
        found = core.clean_history(target, days=days)
        return Ending(sentence="There was nothing to take out." if found.nothing else _gone(found, "Taken out"))

    return Task(doing="cleaning up the history", place="history", work=work, ends_alone=True)


def baselining(core: Core, name: str, note: str) -> Task:
    """Record the database as it is."""

    def work(target: Target, _tell: Tell, limits: Limits) -> Ending:
        run = core.baseline(target, name=name, note=note, limits=limits)
        if run.error is not None:
            raise run.error
        differing = len(run.plan.assessments) if run.plan is not None else 0
        left = f" It still differs from the models in {count(differing, 'point')}." if differing else ""
        warned = "".join(f" {warning}" for warning in run.warnings)
        return Ending(sentence=f"Recorded the database as it is: baseline {run.id}.{left}{warned}")

    doing = "recording the database"
    return Task(doing=doing, place="history", work=work, has_time_limit=True, rereads=True)


def _gone(found: Cleanup, verb: str) -> str:
    parts = [
        f"{count(len(found.removed), 'run')} that changed nothing" if found.removed else "",
        f"{count(found.steps, 'step')} of {count(len(found.shortened), 'run')}" if found.shortened else "",
    ]
    return f"{verb}: {' and '.join(part for part in parts if part)}."


def _kept(found: Cleanup) -> str:
    return f"; an undo may need {count(len(found.kept), 'run')} of it" if found.kept else ""
