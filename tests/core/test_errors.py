"""An error is a sentence wherever it ends up: in another process, and under a Python that keeps no docstrings."""

from __future__ import annotations

import inspect
import pickle
import string
import subprocess
import sys

import pytest

from tests.conftest import Lab
from trueup import errors
from trueup.errors import TrueupError

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, TrueupError)]


def made(kind: type[TrueupError]) -> TrueupError:
    """One with some value for every field of its sentence."""
    fields = string.Formatter().parse(inspect.getdoc(kind) or "")
    return kind(**{name: 1.5 if form else f"some {name}" for _, name, form, _ in fields if name})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_pickled(kind: type[TrueupError]) -> None:
    """What goes wrong in a pool of processes is told by whoever asked for it, with all its facts."""
    error = made(kind)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.facts) == (kind, str(error), error.facts)
    assert (again.exit_code, again.status) == (error.exit_code, error.status)


def test_without_docstrings(lab: Lab) -> None:
    """Under ``python -OO`` an error still says what happened to which object, and the exit code is the same."""
    lab.sql("CREATE TABLE t (v)")
    command = [sys.executable, "-OO", "-m", "trueup", "--check", "--url", lab.url, "--models", "nowhere.py:Base"]
    done = subprocess.run(command, cwd=lab.path.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "ModelsError" in done.stderr
    assert "nowhere.py" in done.stderr
    assert "Traceback" not in done.stderr
