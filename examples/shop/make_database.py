"""Make ``shop.db``: the shop's database as its first version left it, filled with some years of business.

The rows come from a fixed seed, so that everybody sees the same numbers. They satisfy every constraint of the present
models: what trueup asks about this database, it asks because only a person can know, not because the data is broken.
"""

import argparse
import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from history import models_v1 as v1
from sqlalchemy import Connection, Table, create_engine, insert

Row = dict[str, Any]

HERE = Path(__file__).resolve().parent

OPENED = datetime(2022, 3, 1, 9, 0)
TODAY = datetime(2025, 6, 30, 18, 0)

# Written by hand into the database over the years; the models never declared them.
SCHEMA_BESIDE_THE_MODELS = (
    """
    CREATE VIEW open_orders AS
    SELECT orders.id AS order_number,
           customers.email,
           orders.placed_at,
           sum(order_items.quantity) AS pieces,
           sum(order_items.quantity * order_items.unit_price) AS total
      FROM orders
      JOIN customers ON customers.id = orders.customer_id
      JOIN order_items ON order_items.order_id = orders.id
     WHERE orders.status IN ('new', 'paid', 'packed')
     GROUP BY orders.id
    """,
    """
    CREATE TRIGGER reviews_update_rating AFTER INSERT ON reviews
    BEGIN
        UPDATE products
           SET rating = (SELECT round(avg(stars), 2) FROM reviews WHERE product_id = NEW.product_id)
         WHERE id = NEW.product_id;
    END
    """,
    # Search index of the shop's pages; it holds no text of its own but finds it by the rowid of the product.
    """
    CREATE VIRTUAL TABLE products_search
    USING fts5(name, description, content='products', content_rowid='id')
    """,
    # Left behind by the script that once brought the catalogue over from a spreadsheet.
    """
    CREATE TABLE legacy_import_log (
        line int,
        file text,
        imported_at text default current_timestamp,
        message
    )
    """,
)


def words(text: str) -> tuple[str, ...]:
    """Let a long list of single words be written as prose."""
    return tuple(text.split())


FIRST_NAMES = words(
    "Anna Ben Carla David Elif Felix Grace Hugo Ines Jonas Karin Lars Maja Nora Oskar Paula Quentin Rosa Samir Tilda "
    "Uwe Vera Wanda Yusuf Zoe Amélie Björn Chiara Dario Eva Finn Giulia Henrik Ida Joana Klara Luca Marta Nils Olivia"
)
LAST_NAMES = words(
    "Andersen Bauer Costa Dubois Eriksen Fischer García Hansen Ivanova Jansen Kowalski Lindqvist Moreau Novak Olsen "
    "Petrov Quist Rossi Schneider Tanaka Ueda Visser Weber Yilmaz Zimmermann Bianchi Claes Dahl Engel Ferrari"
)
ASCII = str.maketrans("éöí", "eoi")
MAIL_HOSTS = ("example.com", "example.org", "example.net", "mail.example", "post.example")

SERIES = (
    ("Fjord", "plain shapes in cool grey"),
    ("Linden", "light colours and rounded edges"),
    ("Ember", "a matt dark red that hides no stain and fears none"),
    ("Harbor", "deep blue with a white rim"),
    ("Atelier", "finished by hand, so no two are quite alike"),
    ("Nord", "as light as it can be and made to stack"),
)
ARTICLES = {
    "Coffee": ("Pour-Over Kettle 0.9 l", "Hand Grinder", "French Press 1 l", "Espresso Cups, set of 4", "Dripper"),
    "Tea": ("Teapot 1.2 l", "Tea Caddy", "Infuser Mug", "Matcha Bowl", "Tea Tray"),
    "Cookware": ("Frying Pan 28 cm", "Saucepan 1.5 l", "Casserole 4 l", "Griddle", "Steamer Insert"),
    "Knives": ("Chef's Knife 20 cm", "Paring Knife", "Bread Knife", "Knife Block", "Honing Rod"),
    "Baking": ("Loaf Tin", "Mixing Bowl 3 l", "Rolling Pin", "Cake Ring, adjustable", "Proofing Basket"),
    "Tableware": ("Dinner Plates, set of 6", "Soup Bowls, set of 4", "Serving Board", "Carafe 1 l", "Salt Cellar"),
}
USES = (
    "Made for every day and easy to clean.",
    "A favourite of our own kitchen.",
    "Comes in a box made of recycled paper.",
    "Repaired free of charge for ten years.",
    "Our bestseller among presents.",
)

COUNTRIES = ("DE", "NL", "FR", "DK", "SE", "IT", "PL", "AT")
CARRIERS = {"DHL": "JD", "PostNL": "3S", "GLS": "GL", "PostNord": "UA"}
COUPON_CODES = words(
    "WELCOME10 SPRING23 SUMMER23 XMAS23 SPRING24 SUMMER24 BLACKFRIDAY24 XMAS24 "
    "SPRING25 NEWSLETTER5 FRIENDS20 SORRY15 TEATIME10 BAKEOFF12"
)
GIFT_NOTES = (
    "Happy birthday, {name}! We hope it finds a place in your kitchen.",
    "For {name}, with love from all of us.",
    "Congratulations on the new flat, {name}!",
    "Merry Christmas, {name}. No peeking before the 24th!",
    "Thank you for everything, {name}.",
    "{name}, now there is no excuse not to invite us for dinner.",
)
REVIEW_BODIES = {
    1: ("Arrived with a crack, twice.", "Looks nothing like the picture.", "Broke within a week."),
    2: ("The lid does not fit well.", "Too small for a family.", "Nice idea, poor finish."),
    3: ("Does what it should.", "Good, but heavier than expected.", "Fine for the price."),
    4: ("Very nice, the colour is a little darker than shown.", "Would buy it again.", "Sturdy and handsome."),
    5: ("In use every single morning.", "Exactly what I was looking for.", "Bought a second one for my sister."),
}


def make_customers(random: Random) -> list[Row]:
    """Customers in the order of their registration; some spell their address with capitals, none has two accounts."""
    names = random.sample(list(itertools.product(FIRST_NAMES, LAST_NAMES)), 420)
    rows: list[Row] = []
    for number, ((first, last), created_at) in enumerate(zip(names, moments(random, OPENED, len(names)), strict=True)):
        separator = random.choice((".", "_", ""))
        mailbox = f"{first}{separator}{last}".translate(ASCII)
        rows.append(
            {
                "id": number + 1,
                "fullname": f"{first} {last}",
                "email": f"{mailbox if random.random() < 0.15 else mailbox.lower()}@{random.choice(MAIL_HOSTS)}",
                "phone": f"+49 30 55{random.randrange(10_000, 99_999)}" if random.random() < 0.6 else None,
                "created_at": created_at,
            }
        )
    return rows


def make_products(random: Random) -> list[Row]:
    """The whole catalogue; stock and rating are known only when the orders and reviews are."""
    articles = [(category, article) for category, names in ARTICLES.items() for article in names]
    return [
        {
            "id": number,
            "sku": f"{category[:3].upper()}-{number:04}",
            "name": f"{series} {article}",
            "description": f"{article} of the {series} series: {material}. {random.choice(USES)}",
            "category": category,
            "price": random.randrange(9, 180),
        }
        for number, ((category, article), (series, material)) in enumerate(itertools.product(articles, SERIES), start=1)
    ]


def make_wishlist_items(random: Random, customers: Sequence[Row], products: Sequence[Row]) -> list[Row]:
    """Several wishes for each of some customers."""
    return [
        {"customer_id": customer["id"], "product_id": wish["id"], "added_at": after(random, customer["created_at"])}
        for customer in random.sample(customers, 130)
        for wish in random.sample(products, random.randint(1, 6))
    ]


def make_coupons(random: Random) -> list[Row]:
    """Codes in capitals, as the first version demanded them."""
    return [
        {
            "id": number,
            "code": code,
            "percent_off": random.choice((5, 10, 12, 15, 20)),
            "max_uses": random.choice((1, 100, 500)),
            "valid_until": after(random, OPENED) if random.random() < 0.7 else None,
        }
        for number, code in enumerate(COUPON_CODES, start=1)
    ]


def make_orders(random: Random, customers: Sequence[Row], coupons: Sequence[Row]) -> list[Row]:
    """Orders by date, the last two weeks still open; about one in five with a note for whoever gets the present."""
    rows: list[Row] = []
    for number, placed_at in enumerate(moments(random, OPENED + timedelta(days=30), 850), start=1):
        known = [customer for customer in customers if customer["created_at"] <= placed_at]
        is_open = TODAY - placed_at < timedelta(days=14)
        recipient = random.choice(FIRST_NAMES)
        rows.append(
            {
                "id": number,
                "customer_id": random.choice(known)["id"],
                "coupon_id": random.choice(coupons)["id"] if random.random() < 0.2 else None,
                "status": random.choice(("new", "paid", "packed") if is_open else ("shipped",) * 12 + ("cancelled",)),
                "shipping_country": random.choice(COUNTRIES),
                "gift_note": random.choice(GIFT_NOTES).format(name=recipient) if random.random() < 0.22 else None,
                "placed_at": placed_at,
            }
        )
    return rows


def make_order_items(random: Random, orders: Sequence[Row], products: Sequence[Row]) -> list[Row]:
    """One to four different products for each order, never the same one twice."""
    rows: list[Row] = []
    for order in orders:
        for article in random.sample(products, random.choices((1, 2, 3, 4), weights=(40, 30, 20, 10))[0]):
            rows.append(
                {
                    "id": len(rows) + 1,
                    "order_id": order["id"],
                    "product_id": article["id"],
                    "quantity": random.choices((1, 2, 3, 6), weights=(75, 15, 6, 4))[0],
                    "unit_price": article["price"],
                }
            )
    return rows


def make_shipments(random: Random, orders: Iterable[Row]) -> list[Row]:
    """One parcel for each order that left the house, sometimes two."""
    rows: list[Row] = []
    for order in orders:
        if order["status"] != "shipped":
            continue
        for _ in range(2 if random.random() < 0.06 else 1):
            carrier, prefix = random.choice(tuple(CARRIERS.items()))
            rows.append(
                {
                    "id": len(rows) + 1,
                    "order_id": order["id"],
                    "carrier": carrier,
                    "tracking_number": f"{prefix}{random.randrange(10**11):011}" if random.random() < 0.95 else None,
                    "shipped_at": order["placed_at"] + timedelta(hours=random.randint(5, 90)),
                }
            )
    return rows


def make_reviews(random: Random, orders: Iterable[Row], items: Sequence[Row]) -> list[Row]:
    """Opinions of customers on what they bought, one for each customer and product."""
    shipped = {order["id"]: order for order in orders if order["status"] == "shipped"}
    bought = [item for item in items if item["order_id"] in shipped]
    rows: dict[tuple[int, int], Row] = {}
    for item in sorted(random.sample(bought, 400), key=lambda item: int(item["id"])):
        order = shipped[item["order_id"]]
        stars = random.choices((1, 2, 3, 4, 5), weights=(4, 6, 15, 35, 40))[0]
        rows[item["product_id"], order["customer_id"]] = {
            "product_id": item["product_id"],
            "customer_id": order["customer_id"],
            "stars": stars,
            "body": random.choice(REVIEW_BODIES[stars]) if random.random() < 0.8 else None,
            "is_published": random.random() < 0.9,
            "created_at": min(order["placed_at"] + timedelta(days=random.randint(6, 60)), TODAY),
        }
    return list(rows.values())


def make_stock_movements(
    random: Random, products: Iterable[Row], orders: Iterable[Row], items: Iterable[Row]
) -> list[Row]:
    """The ledger that explains the stock, which is set here: what came in is what was sold, was lost or is left."""
    cancelled = {order["id"] for order in orders if order["status"] == "cancelled"}
    sold: dict[int, int] = {}
    for item in items:
        if item["order_id"] not in cancelled:
            sold[item["product_id"]] = sold.get(item["product_id"], 0) + item["quantity"]
    rows: list[Row] = []
    for article in products:
        article["stock"] = 0 if random.random() < 0.08 else random.randint(1, 60)
        broken = random.choice((0, 0, 1, 2))
        miscounted = random.choice((0, 0, 0, -1, 1))
        delivered = article["stock"] + sold.get(article["id"], 0) + broken - miscounted
        first = delivered * 2 // 3
        for kind, delta in (
            ("delivery", first),
            ("delivery", delivered - first),
            ("breakage", -broken),
            ("correction", miscounted),
        ):
            if delta:
                moved_at = after(random, OPENED)
                rows.append({"product_id": article["id"], "kind": kind, "delta": delta, "moved_at": moved_at})
    return sorted(rows, key=lambda row: str(row["moved_at"]))


def make_import_log(random: Random, products: Iterable[Row]) -> list[tuple[int, str, str, str | None]]:
    """A line for each product that the import script read; its table has no model, so these are plain tuples."""
    return [
        (line, "catalogue_2022.csv", "2022-02-26 21:14:07", "price rounded" if random.random() < 0.2 else None)
        for line, _ in enumerate(products, start=2)
    ]


def after(random: Random, start: datetime) -> datetime:
    """Any minute between ``start`` and the last day of the example."""
    return start + timedelta(minutes=random.randint(0, int((TODAY - start).total_seconds()) // 60))


def moments(random: Random, start: datetime, count: int) -> list[datetime]:
    """``count`` minutes since ``start``, in order."""
    return sorted(after(random, start) for _ in range(count))


def fill(connection: Connection) -> None:
    """Write all rows, parents before children."""
    random = Random(20250630)
    customers = make_customers(random)
    products = make_products(random)
    coupons = make_coupons(random)
    orders = make_orders(random, customers, coupons)
    items = make_order_items(random, orders, products)
    movements = make_stock_movements(random, products, orders, items)
    for model, rows in (
        (v1.Customer, customers),
        (v1.Product, products),
        (v1.WishlistItem, make_wishlist_items(random, customers, products)),
        (v1.Coupon, coupons),
        (v1.Order, orders),
        (v1.OrderItem, items),
        (v1.Shipment, make_shipments(random, orders)),
        (v1.Review, make_reviews(random, orders, items)),
        (v1.StockMovement, movements),
    ):
        connection.execute(insert(table_of(model)), rows)
    for row in make_import_log(random, products):
        connection.exec_driver_sql("INSERT INTO legacy_import_log VALUES (?, ?, ?, ?)", row)
    connection.exec_driver_sql("INSERT INTO products_search (products_search) VALUES ('rebuild')")
    spend_order_numbers(connection, last=len(orders), count=5)


def spend_order_numbers(connection: Connection, *, last: int, count: int) -> None:
    """Place and delete some test orders: their numbers must not come back, and only AUTOINCREMENT remembers them."""
    orders = table_of(v1.Order)
    tests = [{"id": last + extra, "customer_id": 1, "placed_at": TODAY} for extra in range(1, count + 1)]
    connection.execute(insert(orders), tests)
    connection.execute(orders.delete().where(orders.c.id > last))


def table_of(model: type[v1.Base]) -> Table:
    """The table behind a model, which declarative types as something more general."""
    table = model.__table__
    assert isinstance(table, Table)
    return table


def make_database(path: Path) -> None:
    """Create the database at ``path``, replacing one that is there, with what its journal modes leave beside it."""
    for suffix in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        # Off unless asked for: https://sqlite.org/foreignkeys.html#fk_enable
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        v1.Base.metadata.create_all(connection)
        for statement in SCHEMA_BESIDE_THE_MODELS:
            connection.exec_driver_sql(statement)
        fill(connection)
        connection.commit()
    engine.dispose()


def main() -> None:
    """Make the database where the command line says, or beside this file, where ``trueup.toml`` expects it."""
    parser = argparse.ArgumentParser(description="Make the example's database, replacing an existing one.")
    parser.add_argument("path", nargs="?", type=Path, default=HERE / "shop.db", help="default: %(default)s")
    path = parser.parse_args().path
    make_database(path)
    print(f"made {path} ({path.stat().st_size // 1024} KiB)")


if __name__ == "__main__":
    main()
