"""Load the models, and ask them what only they know: the Python defaults of their columns.

SQLAlchemy is imported inside the functions, so that a program can show something before it pays for that.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from trueup.dialect import PythonDefault, Script
from trueup.errors import ModelsError

if TYPE_CHECKING:
    from sqlalchemy import Column, MetaData
    from sqlalchemy.engine import Dialect as SQLAlchemyDialect

_OWN = ("trueup", "trueup_tui", "__main__")
_INSTALLED = frozenset(("site-packages", "dist-packages"))
"""Directories of what is nobody's own code; the second is that of Debian's packages."""
_USUAL_NAMES = ("Base", "metadata", "SQLModel", "db")


@dataclass(frozen=True, slots=True)
class Models:
    """One or more ``MetaData`` and where they came from."""

    metadatas: tuple[MetaData, ...]
    spec: str
    scripts: tuple[Script, ...] = ()
    """What they declare in SQL, besides their tables; all of it, where there is no Python."""
    url: str | None = None
    """Of another database, whose schema is what they declare."""
    classes: tuple[type[Any], ...] = ()
    """Those that are mapped, as far as the models' own registries know them."""


def sqlalchemy_version() -> str:
    """Of the library that is in use."""
    from sqlalchemy import __version__

    return __version__


def load_models(source: object, base: Path, objects: Sequence[Path] = ()) -> Models:
    """The models that ``source`` means.

    Args:
        source: ``"package.module:attribute"``, ``"path/to/file.py:attribute"``, ``"path/to/schema.sql"``, the URL of
            another database, or an object: a ``MetaData``, a declarative ``Base``, an SQLModel class, or a list of
            these.
        base: where relative paths start from; it is made importable.
        objects: files of CREATE statements that belong to the models.

    Raises:
        ModelsError: they cannot be imported, or are not models. An error in the user's own code is reported with its
            file and line.
    """
    if isinstance(source, str) and "://" in source:
        return Models((), masked(source), url=source)
    if isinstance(source, str) and source.lower().endswith(".sql"):
        return Models((), source, tuple(_script(base / path, source) for path in (Path(source), *objects)))
    if isinstance(source, str):
        found, spec = _import(source, base), source
    else:
        found, spec = source, getattr(source, "__name__", type(source).__name__)
    metadatas = tuple(_metadatas(found, spec))
    if not any(metadata.tables for metadata in metadatas):
        raise ModelsError(
            spec=spec, problem="they declare no tables (import the modules with your models before this one is used)"
        )
    _refuse_twice(metadatas, spec)
    scripts = (*_scripts_in(metadatas, spec), *(_script(base / path, spec) for path in objects))
    return Models(metadatas, spec, scripts, classes=tuple(_classes(found)))


def masked(url: str) -> str:
    """The URL without its password."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return "(a URL that cannot be read)"


def _import(spec: str, base: Path) -> object:
    place, _, attribute = spec.rpartition(":") if ":" in spec else (spec, "", "")
    if place.endswith(".py") or "/" in place or "\\" in place:
        module = _guarded(spec, lambda: _from_file(base / place, spec))
    else:
        _make_importable(base)
        module = _guarded(spec, lambda: importlib.import_module(place))
    names = [attribute] if attribute else [name for name in _USUAL_NAMES if hasattr(module, name)][:1]
    if not names:
        raise ModelsError(spec=spec, problem=f"it needs the name of its models, as in {place}:Base")
    found: object = module
    for part in names[0].split("."):
        if not hasattr(found, part):
            raise ModelsError(spec=spec, problem=f"{place} has no {names[0]}")
        found = getattr(found, part)
    return found


def _from_file(path: Path, spec: str) -> ModuleType:
    if not path.is_file():
        raise ModelsError(spec=spec, problem=f"there is no file {path}")
    _make_importable(path.parent)
    module_spec = importlib.util.spec_from_file_location(path.stem, path)
    if module_spec is None or module_spec.loader is None:
        raise ModelsError(spec=spec, problem=f"{path} is not a Python file")
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[path.stem] = module  # SQLAlchemy resolves annotations through it
    module_spec.loader.exec_module(module)
    return module


def forget(base: Path) -> None:
    """Let the next :func:`load_models` read the user's modules from their files again.

    For programs that exist to look at models while somebody edits them. A server must not call it: its own classes and
    those that are read anew would be two different ones.

    Args:
        base: modules below this directory are forgotten, except what is installed there, be it Python itself.
    """
    root, python = base.absolute(), Path(os.__file__).parent
    for name, module in list(sys.modules.items()):
        file = Path(getattr(module, "__file__", None) or "")
        installed = file.is_relative_to(python) or not _INSTALLED.isdisjoint(file.parts)
        if file.is_relative_to(root) and not installed and name.partition(".")[0] not in _OWN:
            del sys.modules[name]


def _make_importable(directory: Path) -> None:
    """In front, as ``python -m`` would put it."""
    entry = str(directory.absolute())
    if entry not in sys.path:
        sys.path.insert(0, entry)


def _guarded(spec: str, load: Callable[[], ModuleType]) -> ModuleType:
    """Whatever the user's code prints goes to stderr, whatever it raises becomes one sentence."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return load()
    except ModelsError:
        raise
    except BaseException as error:  # a module may raise anything, SystemExit included
        if isinstance(error, KeyboardInterrupt):
            raise
        raise ModelsError(spec=spec, problem=_where(error)) from error


def _where(error: BaseException) -> str:
    """The error, and the last line of the user's own code that it went through."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{type(error).__name__}: {error.msg} ({error.filename}, line {error.lineno})"
    said = f"{type(error).__name__}: {error}".splitlines()[0].removesuffix(": ")
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_users(frame.filename)]
    return f"{said} ({frames[-1].filename}, line {frames[-1].lineno})" if frames else said


def _is_users(filename: str) -> bool:
    libraries = (str(Path(__file__).parent.parent), "<frozen")
    return (
        not filename.startswith(libraries)
        and _INSTALLED.isdisjoint(Path(filename).parts)
        and "importlib" not in filename
    )


def _metadatas(found: object, spec: str) -> Iterator[MetaData]:
    from sqlalchemy import MetaData

    if isinstance(found, MetaData):
        yield found
    elif isinstance(getattr(found, "metadata", None), MetaData):
        yield found.metadata  # type: ignore[attr-defined]  # checked in the line above
    elif isinstance(found, list | tuple | set | frozenset):
        seen: list[MetaData] = []
        for item in found:
            seen += [metadata for metadata in _metadatas(item, spec) if metadata not in seen]
        yield from seen
    else:
        kind = type(found).__name__
        problem = f"it is of type {kind}, not a MetaData nor a class that has one (a Base, an SQLModel)"
        raise ModelsError(spec=spec, problem=problem)


def _classes(found: object) -> Iterator[type[Any]]:
    """Without a registry there are none; then the ORM, which takes long to import, may not be there yet."""
    for item in found if isinstance(found, list | tuple | set | frozenset) else [found]:
        known = getattr(item, "registry", None)
        if known is not None:
            from sqlalchemy.orm import registry

            yield from (mapper.class_ for mapper in known.mappers) if isinstance(known, registry) else ()


def _refuse_twice(metadatas: Sequence[MetaData], spec: str) -> None:
    seen: set[str] = set()
    for name in (name for metadata in metadatas for name in metadata.tables):
        if name.lower() in seen:
            raise ModelsError(spec=spec, problem=f"the table {name} is declared twice")
        seen.add(name.lower())


def _scripts_in(metadatas: Iterable[MetaData], spec: str) -> Iterator[Script]:
    """What stands in ``metadata.info["trueup"]["objects"]``, a list of statements."""
    for metadata in metadatas:
        listed = (metadata.info.get("trueup") or {}).get("objects", ())
        if not isinstance(listed, list | tuple) or not all(isinstance(statement, str) for statement in listed):
            problem = 'info["trueup"]["objects"] must be a list of CREATE statements as text'
            raise ModelsError(spec=spec, problem=problem)
        yield from (Script(f"statement {number} of {spec}", text) for number, text in enumerate(listed, 1))


def _script(path: Path, spec: str) -> Script:
    try:
        return Script(str(path), path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelsError(spec=spec, problem=f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ModelsError(spec=spec, problem=f"{path} is not UTF-8 text") from error


# -- what the columns put in by themselves -----------------------------------------------------------------------------


def python_default(models: Models, table: str, column: str, dialect: SQLAlchemyDialect) -> PythonDefault | None:
    """The default that the ORM would use for a row that does not say, with the column type's processing applied.

    A callable that needs the other values of its row (a context-sensitive default) has none that can be used here.
    """
    from sqlalchemy import ColumnDefault
    from sqlalchemy.sql.elements import ClauseElement

    found = _column(models.metadatas, table, column)
    if found is None:
        return None
    process: Callable[[Any], Any] = found.type.dialect_impl(dialect).bind_processor(dialect) or _as_it_is
    default, factory = found.default, _factory(models.classes, found)
    if factory is not None:
        return _row_by_row(lambda: process(factory()))
    if not isinstance(default, ColumnDefault):
        return None
    if default.is_callable:
        call: Callable[[Any], Any] = default.arg
        return _row_by_row(lambda: process(call(None)))
    if isinstance(default.arg, ClauseElement):
        return PythonDefault(sql=str(default.arg.compile(dialect=dialect, compile_kwargs={"literal_binds": True})))
    return _value(default.arg, process)


def _as_it_is(value: Any) -> Any:
    return value


def _value(value: Any, process: Callable[[Any], Any]) -> PythonDefault:
    try:
        return PythonDefault(value=process(value))
    except Exception as error:  # the processing of an application's own type may raise anything, as in its INSERT
        why = "its type in the models does not take its own default"
        return PythonDefault(problem=f"{why}: {type(error).__name__}")


def _row_by_row(call: Callable[[], Any]) -> PythonDefault:
    try:
        call()
    except (
        Exception,
        SystemExit,
    ) as error:  # a user's function may raise anything without its row
        why = "its default in the models needs the other values of its row, or fails without them"
        return PythonDefault(problem=f"{why}: {type(error).__name__}")
    return PythonDefault(call=call)


def _factory(classes: Iterable[type[Any]], column: Column[Any]) -> Callable[[], Any] | None:
    """A ``default_factory`` stands in the constructor of a mapped dataclass, and not in the column."""
    from sqlalchemy.orm import class_mapper

    for mapped in classes:
        mapper = class_mapper(mapped)
        if column.table is not mapper.local_table or not is_dataclass(mapped):
            continue
        key = mapper.get_property_by_column(column).key
        made = next((item.default_factory for item in fields(mapped) if item.name == key), MISSING)
        if made is not MISSING:
            return made
    return None


def _column(metadatas: Iterable[MetaData], table: str, column: str) -> Column[Any] | None:
    for metadata in metadatas:
        for found in metadata.tables.values():
            if found.name.lower() == table.lower():
                return next((item for item in found.columns if item.name.lower() == column.lower()), None)
    return None


def words_in_models(models: Models, table: str, column: str) -> tuple[str, ...]:
    """The texts of a column's ``Enum``, the only ones that SQLAlchemy can load; none where it is no such column."""
    from sqlalchemy import Enum
    from sqlalchemy.types import TypeDecorator

    found = _column(models.metadatas, table, column)
    kind = found.type if found is not None else None
    while isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    return tuple(kind.enums) if isinstance(kind, Enum) else ()


def renames_in_models(models: Models) -> Iterator[tuple[str, str | None, str]]:
    """Hints in ``info={"trueup": {"renamed_from": ...}}``, as (table, old name, new name).

    A hint of a table has no column: then it is (old name of the table, nothing, new name).

    Raises:
        ModelsError: a hint is no name and no list of names.
    """
    for metadata in models.metadatas:
        for table in metadata.tables.values():
            for old in _hints(table.info, models.spec, table.name):
                yield old, None, table.name
            for column in table.columns:
                for old in _hints(column.info, models.spec, f"{table.name}.{column.name}"):
                    yield table.name, old, column.name


def _hints(info: Any, spec: str, owner: str) -> tuple[str, ...]:
    said = info.get("trueup") or {} if isinstance(info, dict) else {}
    hint = said.get("renamed_from", ()) if isinstance(said, dict) else said
    names = (hint,) if isinstance(hint, str) else hint
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        problem = f'info={{"trueup": {{"renamed_from": ...}}}} of {owner} takes a name or a list of names, not {hint!r}'
        raise ModelsError(spec=spec, problem=problem)
    return tuple(names)
