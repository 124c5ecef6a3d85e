"""The SQL that takes a plan's structure back, for the history: to be read, and for a day without trueup at hand.

An undo is planned anew, on the data and the schema as they are then, and brings values back; this brings back none.
"""

from __future__ import annotations

from dataclasses import replace

from trueup.dialect import Dialect
from trueup.past import made_by
from trueup.plans import Plan
from trueup.stages.compare import compare, find_unlike
from trueup.stages.evolve import evolve
from trueup.stages.invert import created_by, invert_renames, older_names, sort_out
from trueup.surveying import renamed


def undo_script(plan: Plan, dialect: Dialect) -> str:
    """The script that leads from the plan's expected schema back to the live one, as an empty copy proves.

    Returns:
        Nothing where no script does, such as for an object that only an extension can make.
    """
    made = [item for step in plan.steps for item in made_by(step, plan)]
    older = older_names(made)
    renames = invert_renames(made)
    try:
        base = renamed(plan.expected, renames, dialect) if renames else plan.expected
        inverse = sort_out(compare(base, plan.live, created_by(older)), older, all_of_them=True)
        target = evolve(base, plan.live, inverse.changes, inverse.left)
        steps = tuple(dialect.write(base, target, [*renames, *inverse.changes]))
        after = dialect.after(plan.expected, [item.sql for step in steps for item in step.statements])
    except Exception:  # whatever SQLite refuses on the way back, the run itself is not about it
        return ""
    return "" if find_unlike(after, plan.live) else replace(plan, steps=steps, preamble=dialect.preamble()).script
