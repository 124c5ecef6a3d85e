"""A database and the models that it is to be true to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.dialects import dialect_for
from trueup.errors import NoTarget
from trueup.settings import Settings

if TYPE_CHECKING:
    from trueup.dialect import Dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A database and the models it is to be true to.

    Args:
        url: any SQLAlchemy URL; never shown with its password.
        models: ``"package.module:Base"``, ``"path/to/file.py:Base"``, ``"path/to/schema.sql"``, the URL of another
            database, or an object: a ``MetaData``, a declarative base, an SQLModel class, or a list of these.
        settings: everything else.
    """

    url: str = field(repr=False)
    models: object
    settings: Settings = Settings()

    @classmethod
    def from_settings(cls, settings: Settings, models: object = None) -> Target:
        """The target that the settings name.

        Args:
            settings: name the database, and the models unless these are given.
            models: instead of those that the settings name.

        Raises:
            NoTarget: they name no database or no models.
        """
        looked = (
            "the command line, TRUEUP_* and DATABASE_URL in the environment, trueup.toml and pyproject.toml in"
            f" {settings.base} and above"
        )
        if not settings.url:
            raise NoTarget(what="database", looked=looked, option="--url sqlite:///app.db")
        if models is None and not settings.models:
            raise NoTarget(what="models", looked=looked, option="--models package.module:Base")
        return cls(url=settings.url, models=settings.models if models is None else models, settings=settings)

    def dialect(self) -> Dialect:
        return dialect_for(self.url, self.settings.base)

    def backup_directory(self, dialect: Dialect) -> Path:
        given = self.settings.backup_dir
        return self.settings.base / given if given else dialect.home / "backups"
