"""Pairs of models that nobody thought of: whatever they are, the promises hold for them and for every row.

``make nightly`` draws many more of them than ``make test`` does. What they find becomes a case in ``test_shrunk.py``.
"""

from __future__ import annotations

from hypothesis import given

from . import promises
from .generators import Upgrade, upgrades


@given(upgrades())
def test_full_leads_to_the_models(upgrade: Upgrade) -> None:
    """Under full a run makes the database the models', or asks and changes nothing; what stays is as it was."""
    promises.full_leads_to_the_models(upgrade)


@given(upgrades())
def test_safe_loses_nothing(upgrade: Upgrade) -> None:
    """Under safe every value of every table and column is still there, and nothing that it may do is left."""
    promises.safe_loses_nothing(upgrade)


@given(upgrades())
def test_plans_are_kept(upgrade: Upgrade) -> None:
    """To plan writes nothing and says the same twice; a wider policy does all that a narrower one does; --check tells
    whether a run under full would do or ask anything."""
    promises.plans_are_kept(upgrade)
