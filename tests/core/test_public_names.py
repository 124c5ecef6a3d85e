"""What ``import trueup`` gives."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path

import trueup
from tests.command import start_python


def test_every_public_name_is_there() -> None:
    """Each name of ``__all__`` can be had and is listed by ``dir``; another one is an AttributeError."""
    assert {name for name in trueup.__all__ if getattr(trueup, name, None) is None} == set()
    assert set(trueup.__all__) <= set(dir(trueup))
    assert not hasattr(trueup, "no_such_name")


def test_no_module_has_the_name_of_a_function() -> None:
    """To import a module sets an attribute of the package, which must not hide what the package offers."""
    modules = {module.name for module in pkgutil.iter_modules(trueup.__path__)}
    assert modules & set(trueup.__all__) == {"changes", "errors", "events"}
    for name in sorted(modules - {"__main__"}):
        import_module(f"trueup.{name}")
    assert callable(trueup.plan)
    assert callable(trueup.apply)


def test_a_plain_import_loads_nothing_else(tmp_path: Path) -> None:
    """What an application pays for the import alone is one module and the version."""
    script = "import trueup, sys; print(*sorted(name for name in sys.modules if name.startswith('trueup')))"
    out, _ = start_python("-c", script, cwd=tmp_path).communicate(timeout=60)
    assert out.split() == ["trueup", "trueup._version"]
