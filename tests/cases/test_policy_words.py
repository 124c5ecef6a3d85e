"""A policy may be given as the word that the configuration file uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from trueup import Policy, Status, migrate, plan

from .mutations import a, key, n, t

if TYPE_CHECKING:
    from ..conftest import Lab

OLD = t(key(), a(), n())
NEW = t(key(), a())


@pytest.mark.parametrize("policy", list(Policy), ids=str)
def test_a_policy_as_a_word_means_the_same(lab: Lab, policy: Policy) -> None:
    """``plan(policy="check")`` plans what ``plan(policy=Policy.CHECK)`` plans."""
    lab.create(OLD)
    lab.sql("INSERT INTO t (id, a, n) VALUES (1, 'a', 1)")
    word: Any = str(policy)
    assert plan(lab.target(NEW), policy=word).assessments == plan(lab.target(NEW), policy=policy).assessments


def test_the_word_check_in_the_settings_changes_nothing(lab: Lab) -> None:
    """A server that was told ``check`` by a plain word leaves the database as it is."""
    lab.create(NEW)
    before = lab.dump()
    run = migrate(lab.target(OLD, policy="check"))
    assert (lab.dump(), run.status) == (before, Status.NEEDS_DECISION)
