"""What several tests of this directory begin with."""

from __future__ import annotations

import pytest

from tests.conftest import Lab
from tests.people import models


@pytest.fixture
def filled(lab: Lab) -> Lab:
    """Two people, with one run in the history that gave them a text ``a``."""
    lab.create(models())
    lab.sql("INSERT INTO people VALUES (1), (2)")
    assert lab.migrate(models("a")).success
    return lab
