"""What speaks for a rename, what speaks against it, and how the question is put."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Enum,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from trueup import Policy, RenameCandidate, apply
from trueup.names import similarity

if TYPE_CHECKING:
    from trueup import Plan

    from ..conftest import Lab


def table(name: str, *parts: Any, metadata: MetaData | None = None) -> MetaData:
    metadata = metadata if metadata is not None else MetaData()
    Table(name, metadata, Column("id", Integer, primary_key=True), *parts)
    return metadata


def candidates(found: Plan) -> dict[str, RenameCandidate]:
    """All that is shown, by what becomes what."""
    shown = [item for assessment in found.assessments for item in assessment.candidates]
    return {f"{item.object} -> {item.to}": item for item in shown}


def evidence(lab: Lab, models: MetaData, name: str, **settings: Any) -> list[str]:
    found = candidates(lab.plan(models, policy=Policy.FULL, **settings))
    return [item.sentence for item in found[name].evidence] if name in found else []


@pytest.mark.parametrize(
    ("old", "new", "least", "most"),
    [
        ("fullname", "full_name", 1.0, 1.0),
        ("p3Start", "p3_start", 1.0, 1.0),
        ("HTTPServer", "http_server", 1.0, 1.0),
        ("user", "users", 0.95, 0.99),
        ("category", "categories", 0.95, 0.99),
        ("qty", "quantity", 0.85, 0.95),
        ("org_id", "organization_id", 0.85, 0.99),
        ("name", "full_name", 0.8, 0.9),
        ("instace_id", "instance_id", 0.9, 0.99),
        ("line_1", "line_2", 0.0, 0.4),
        ("p3_start", "p5_start", 0.0, 0.4),
        ("is_active", "enabled", 0.0, 0.35),
        ("config_mail_port", "config_theme", 0.0, 0.6),
    ],
)
def test_names(old: str, new: str, least: float, most: float) -> None:
    """Words count, not letters: spelling, plural and abbreviations hardly matter, another number does."""
    assert least <= similarity(old, new) <= most
    assert similarity(new, old) == pytest.approx(similarity(old, new))


def test_everything_that_speaks_for_a_column(lab: Lab) -> None:
    """Each piece is a sentence with its weight, and the score is their sum."""
    lab.create(
        table(
            "t", Column("owner", Integer), Column("qty", Integer), Index("ix_qty", "qty", "id"), UniqueConstraint("qty")
        )
    )
    lab.sql("INSERT INTO t VALUES (1, 2, 3)")
    models = table(
        "t",
        Column("owner", Integer),
        Column("quantity", Integer),
        Index("ix_quantity", "quantity", "id"),
        UniqueConstraint("quantity"),
    )
    found = candidates(lab.plan(models))["t.qty -> quantity"]
    assert [str(item) for item in found.evidence] == [
        "the names are 90% alike (+0.54)",
        "same type INTEGER (+0.15)",
        "same nullability, default and collation (+0.05)",
        "both stand after owner (+0.10)",
        "the unique constraint and the index moved along (+0.10)",
        "no other column left or came (+0.05)",
    ]
    assert found.score == pytest.approx(sum(item.weight for item in found.evidence), abs=0.01)
    assert found.probable


@pytest.mark.parametrize(
    ("follower", "word"),
    [
        (lambda name: CheckConstraint(f"{name} > 0"), "CHECK"),
        (lambda name: UniqueConstraint(name, "id"), "unique constraint"),
        (lambda name: Index(f"ix_{name}", name, sqlite_where=Column("id") > 5), "index"),
        (lambda name: Column(name, ForeignKey("p.id")), "foreign key"),
    ],
)
def test_what_moved_along(lab: Lab, follower: Any, word: str) -> None:
    """A key, an index or a rule that is the same but for the name of this column."""

    def models(name: str) -> MetaData:
        part = follower(name)
        parts = [part] if isinstance(part, Column) else [Column(name, Integer), part]
        return table("t", *parts, metadata=table("p"))

    lab.create(models("boss"))
    lab.sql("INSERT INTO p VALUES (1); INSERT INTO t VALUES (1, 1)")
    assert f"the {word} moved along" in evidence(lab, models("chief"), "t.boss -> chief")


VALUES = {
    "dates": ("'2020-01-02'", "'1999-12-31'"),
    "moments": ("'2020-01-02 03:04:05.000000'", "'1999-12-31 00:00:00'"),
    "words": ("'red'", "'green'"),
    "numbers": ("'12'", "'-7'"),
    "json": ("'{\"a\": 1}'", "'[]'"),
    "flags": ("'true'", "'0'"),
    "long": ("'a text that is longer than ten letters'", "'x'"),
}
TELLS = [("dates", Date()), ("moments", DateTime()), ("numbers", Integer()), ("json", JSON()), ("flags", Boolean())]


@pytest.mark.parametrize(("values", "type_"), TELLS)
def test_values_that_tell(lab: Lab, values: str, type_: Any) -> None:
    """Text that can be read as just what the new column is for speaks for the rename."""
    fill(lab, values)
    found = evidence(lab, table("t", Column("new_thing", type_)), "t.thing -> new_thing")
    assert [item for item in found if item.startswith("every value looked at can be read as")]


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ("words", Date()),
        ("words", DateTime()),
        ("dates", Integer()),
        ("words", JSON()),
        ("numbers", Boolean()),
        ("words", Float()),
        ("long", String(10)),
        ("words", Enum("blue", "red", create_constraint=True, name="colour")),
    ],
)
def test_values_that_do_not_fit(lab: Lab, values: str, type_: Any) -> None:
    """A column whose content cannot be in the new one is no candidate, whatever its name is."""
    fill(lab, values)
    assert candidates(lab.plan(table("t", Column("new_thing", type_)))) == {}


def test_words_of_an_enum(lab: Lab) -> None:
    """Every value is one of those that the new column's CHECK allows."""
    fill(lab, "words")
    kind = Enum("red", "green", "it's", create_constraint=True, name="colour")
    said = evidence(lab, table("t", Column("new_thing", kind)), "t.thing -> new_thing")
    assert "every value looked at can be read as one of the words that its CHECK allows" in said


def fill(lab: Lab, values: str) -> None:
    lab.create(table("t", Column("thing", Text)))
    for value in VALUES[values]:
        lab.sql(f"INSERT INTO t (thing) VALUES ({value})")


def test_everything_that_speaks_for_a_table(lab: Lab) -> None:
    """Names, columns in common and their types, and foreign keys that now go to the other table."""
    columns = {"name": Text, "city": Text, "zip": Text}
    lab.create(shop("customers", columns))
    lab.sql("INSERT INTO customers VALUES (1, 'Ada', 'London', 'x'); INSERT INTO orders VALUES (1, 1)")
    models = shop("shop_customers", columns | {"zip": Integer})
    assert evidence(lab, models, "customers -> shop_customers", owned_tables=("*",)) == [
        "the names are 85% alike",
        "4 of 4 columns are the same",
        "3 of these have the same type",
        "a foreign key to it of orders now goes to shop_customers",
    ]


def shop(name: str, columns: dict[str, Any]) -> MetaData:
    metadata = table(name, *(Column(column, type_) for column, type_ in columns.items()))
    return table("orders", Column("customer", ForeignKey(f"{name}.id")), metadata=metadata)


def test_an_empty_table_is_no_question(lab: Lab) -> None:
    """Without rows nothing would be lost."""
    columns = {"name": Text}
    lab.create(shop("customers", columns))
    assert candidates(lab.plan(shop("customer", columns), owned_tables=("*",))) == {}


# -- more than one answer ----------------------------------------------------------------------------------------------


def test_two_that_left_for_one_that_came(lab: Lab) -> None:
    """The question shows both, the better one first, with every decision that answers it."""
    lab.create(table("t", Column("mail", Text), Column("email_addr", Text)))
    lab.sql("INSERT INTO t VALUES (1, 'a', 'b')")
    found = lab.plan(table("t", Column("email_address", Text)), policy=Policy.FULL)
    added = next(item for item in found.blocked if item.change.id == "add column t.email_address")
    assert [item.object for item in added.candidates] == ["t.email_addr", "t.mail"]
    assert added.reason.startswith("t.email_addr may have been renamed to email_address (the names are ")
    assert ", or t.mail to email_address (" in added.reason
    assert added.remedy == (
        'decide: rename = "t.email_addr" with to = "email_address", or rename = "t.mail" with to = "email_address",'
        ' or drop = "t.email_addr", or keep = "t.email_addr", or drop = "t.mail", or keep = "t.mail"'
    )


def test_one_that_left_for_two_that_came(lab: Lab) -> None:
    """A table that was split, and a column: both successors are shown."""
    lab.create(table("people", Column("name", Text), Column("mail", Text), Column("street", Text)))
    lab.sql("INSERT INTO people VALUES (1, 'a', 'b', 'c')")
    models = table("person", Column("name", Text), Column("mail", Text))
    table("people_street", Column("street", Text), Column("name", Text), metadata=models)
    found = lab.plan(models, policy=Policy.FULL, owned_tables=("people",))
    dropped = next(item for item in found.assessments if item.change.id == "drop table people")
    assert {item.to for item in dropped.candidates} == {"person", "people_street"}


def test_crossing_pairs(lab: Lab) -> None:
    """Where each name has a clearly better partner, the crossing pairs are not shown."""
    lab.create(table("t", Column("homePhone", Text), Column("workPhone", Text)))
    lab.sql("INSERT INTO t VALUES (1, 'a', 'b')")
    found = lab.plan(table("t", Column("home_phone", Text), Column("work_phone", Text)))
    assert set(candidates(found)) == {"t.homePhone -> home_phone", "t.workPhone -> work_phone"}
    assert len(found.blocked) == 4


def test_improbable_pairs_are_shown_only(lab: Lab) -> None:
    """Other names at the same place with the same type: a reviewer sees it, a server goes on, and nothing is lost."""
    lab.create(table("t", Column("is_active", Boolean, nullable=False)))
    lab.sql("INSERT INTO t VALUES (1, 1)")
    models = table("t", Column("enabled", Boolean, nullable=False, default=True))
    found = lab.plan(models, policy=Policy.SAFE)
    assert set(candidates(found)) == {"t.is_active -> enabled"}
    assert found.blocked == ()
    assert apply(found, lab.target(models)).error is None
    assert lab.rows("SELECT is_active, enabled FROM t") == [(1, 1)]
