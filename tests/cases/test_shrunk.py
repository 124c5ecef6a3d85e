"""What the random pairs found, made as small as it goes; each was wrong once."""

from __future__ import annotations

import pytest

from . import promises
from .descriptions import Col, Described, Idx, Ref, Tab, Uniq
from .generators import Content, Upgrade


def upgrade(
    old: tuple[Tab, ...], new: tuple[Tab, ...], around: tuple[str, ...] = (), **rows: tuple[tuple[object, ...], ...]
) -> Upgrade:
    """The old tables with their rows and what stands around them, and the new tables."""
    return Upgrade(Described(old), Described(new), Content(rows, around), Content({}))


P = Tab("p")
A, B = Col("a", "text"), Col("B", "text")

SHRUNK = {
    "a key that becomes a text, under rows that name it in other digits": upgrade(
        (P, Tab("t", columns=(A,), references=(Ref(("a",), "p"),))),
        (Tab("p", key="text"), Tab("t", columns=(A,), references=(Ref(("a",), "p"),))),
        p=((1,),),
        t=((1, "1.0"), (2, "1")),
    ),
    "a table whose column SQLite does not drop in place over a view of a table that is dropped before": upgrade(
        (P, Tab("t", columns=(A, B))),
        (Tab("t", columns=(A,)),),
        around=("view",),
    ),
    "a key's column that may be NULL while the table does not become STRICT, for which a column must go": upgrade(
        (Tab("p", columns=(A,)),),
        (Tab("p", key="none", strict=True),),
    ),
    "a key's column that may be NULL once the table is no longer WITHOUT ROWID, for which a column must go": upgrade(
        (Tab("p", columns=(A,), without_rowid=True),),
        (Tab("p", key="none", strict=True),),
    ),
    "indexes that come, in whatever order SQLAlchemy makes them": upgrade(
        (P,),
        (
            Tab("p", columns=(A,), indexes=(Idx((("a", "plain"),), "ix_p"), Idx((("a", "lower"),), "ix of p"))),
            Tab("t", columns=(A,), indexes=(Idx((("a", "plain"),), "ix_t"), Idx((("a", "lower"),), "ix of t"))),
        ),
    ),
    "a view with a trigger of its own reads the table that goes": upgrade((P,), (Tab("t"),), ("instead",)),
    "rows of other people point to a key that becomes another one": upgrade(
        (P,), (Tab("p", key="turned"),), ("child",)
    ),
    "a table that is kept points to a key that becomes another one": upgrade(
        (Tab("t", columns=(A,), references=(Ref(("a",), "p"),)), P), (Tab("p", key="pair"),)
    ),
    "a foreign key cannot leave the column that goes": upgrade(
        (P, Tab("t", columns=(A, B), references=(Ref(("a",), "p", name="fk"),))),
        (P, Tab("t", columns=(B,), references=(Ref(("B",), "p", name="fk"),))),
        t=((1, "x", "x"),),
    ),
    "STRICT comes, and a column that only other tables can have is kept": upgrade(
        (Tab("t", columns=(Col("a", "uuid"),)),), (Tab("t", strict=True),)
    ),
    "STRICT comes, and a value is none of its type": upgrade(
        (Tab("t", columns=(Col("a", "integer"),)),),
        (Tab("t", columns=(Col("a", "integer"),), strict=True),),
        t=((1, 1), (2, "x")),
    ),
    "a view reads the table that goes, whose name is quoted": upgrade((Tab('x "y"'),), (Tab("t"),), ("instead",)),
    "AUTOINCREMENT comes where WITHOUT ROWID cannot go": upgrade(
        (Tab("t", columns=(A,), without_rowid=True),),
        (Tab("t", key="counter", columns=(A,), strict=True),),
        t=((2, b"text"),),
    ),
    "a column leaves the key, whose rows would not be unique": upgrade(
        (Tab("t", key="turned", strict=True),), (Tab("t", strict=True),), t=(("x", 3), ("y", 3))
    ),
    "the rowid becomes a key of its own, and has another index already": upgrade(
        (Tab("t", uniques=(Uniq(("id",)),)),), (Tab("t", key="bigint"),), t=((-7,),)
    ),
    "a part of the key that is no number becomes the rowid": upgrade(
        (Tab("t", key="turned"),), (Tab("t"),), t=(("x", b"1"),)
    ),
    "a number in a column of any type becomes text": upgrade(
        (Tab("t", columns=(Col("a", "any"), B), strict=True),), (Tab("t", columns=(A,)),), t=((0, 1, "x"),)
    ),
    "rows of other people point to a key that goes": upgrade(
        (Tab("p", columns=(A,)),), (Tab("p", key="none", columns=(A,)),), ("child",), p=((1, "x"),)
    ),
    "rows point to a key whose new part nobody has yet": upgrade(
        (Tab("p"), Tab("t", columns=(A,))),
        (Tab("p", key="turned"), Tab("t", columns=(A,), references=(Ref(("a", "id"), "p"),))),
        t=((1, "x"),),
    ),
    "a new column points to nothing by its default": upgrade(
        (Tab("t"),), (Tab("t", columns=(Col("a", "text", default="five"),), references=(Ref(("a",), "t"),)),), t=((1,),)
    ),
    "a new column must have a value, and the models' own points to nothing": upgrade(
        (Tab("t"),), (Tab("t", columns=(Col("a", "text", nullable=False),), references=(Ref(("a",), "t"),)),), t=((3,),)
    ),
    "a STRICT table does not take the default of its new column": upgrade(
        (Tab("t"),), (Tab("t", columns=(Col("a", "real", default="now"),), strict=True),), t=((1,),)
    ),
    "WITHOUT ROWID comes where the key cannot": upgrade(
        (Tab("t", key="none", columns=(A,)),), (Tab("t", without_rowid=True),), t=((1, "x"), (1, "y"))
    ),
    "a table goes that other people's rows point to": upgrade((P,), (Tab("t"),), ("child",), p=((1,),)),
    "a table is kept for its rows that point to a table that goes": upgrade(
        (Tab("t", columns=(A,), references=(Ref(("a",), "p"),)), P), (Tab("x"),), ("child",), p=((1,),), t=((1, "1"),)
    ),
    "other people's rows point to nothing through a key that begins to fit": upgrade(
        (Tab("p", key="pair"),), (Tab("p", key="text"),), ("child",)
    ),
    "a new column points to nothing by what it is computed of": upgrade(
        (Tab("p"), Tab("t", columns=(A,))),
        (
            Tab("p"),
            Tab("t", columns=(A, Col("B", "text", computed="length", of="a")), references=(Ref(("B",), "p"),)),
        ),
        p=((1,),),
        t=((1, "x"), (2, "yy")),
    ),
    "a new column is computed of one that gets a value, and not unique": upgrade(
        (Tab("t"),),
        (
            Tab(
                "t",
                columns=(Col("a", "text", default="five"), Col("B", "text", computed="length", of="a")),
                uniques=(Uniq(("B",)),),
            ),
        ),
        t=((1,), (2,)),
    ),
    "STRICT goes, and a column that only other tables can have comes": upgrade(
        (Tab("t", strict=True),), (Tab("t", columns=(Col("a", "varchar"),)),)
    ),
}


@pytest.mark.parametrize("case", SHRUNK.values(), ids=SHRUNK)
def test_shrunk(case: Upgrade) -> None:
    """Every promise holds for it."""
    promises.full_leads_to_the_models(case)
    promises.safe_loses_nothing(case)
    promises.plans_are_kept(case)
