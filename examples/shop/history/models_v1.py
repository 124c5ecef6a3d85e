"""The first version of the shop's models, kept because the example's database is made from them.

An application would have this in its version control and nowhere else. The naming convention is that of the present
models, so that what differs between the two versions differs on purpose.
"""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """What all tables share: constraints have names."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )


class Customer(Base):
    """Somebody with an account."""

    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    fullname: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(255), unique=True)
    phone: Mapped[str | None] = mapped_column(String(30))
    created_at: Mapped[datetime]


class Product(Base):
    """One article of the catalogue, priced in whole euros."""

    __tablename__ = "products"
    __table_args__ = (CheckConstraint("stock >= 0"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(50))
    description: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(String(30), index=True)
    price: Mapped[int]
    stock: Mapped[int] = mapped_column(server_default="0")
    rating: Mapped[float | None]


class WishlistItem(Base):
    """A product that a customer wants to remember."""

    __tablename__ = "wishlist_items"
    __table_args__ = (PrimaryKeyConstraint("product_id", "customer_id"),)

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"))
    added_at: Mapped[datetime]


class Coupon(Base):
    """A discount that is given for a code."""

    __tablename__ = "coupons"
    __table_args__ = (
        CheckConstraint("percent_off BETWEEN 1 AND 100", name="ck_coupons_percent_off"),
        CheckConstraint("code = upper(code)", name="ck_coupons_code"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(24), unique=True)
    percent_off: Mapped[int]
    max_uses: Mapped[int] = mapped_column(server_default="1")
    valid_until: Mapped[datetime | None]


class Order(Base):
    """What a customer ordered; its id is the order number on the invoice."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("status IN ('new', 'paid', 'packed', 'shipped', 'cancelled')", name="ck_orders_status"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    coupon_id: Mapped[int | None]
    status: Mapped[str] = mapped_column(String(12), server_default="new", index=True)
    currency: Mapped[str] = mapped_column(String(3), server_default="EUR")
    shipping_country: Mapped[str | None] = mapped_column(String(2))
    gift_note: Mapped[str | None] = mapped_column(Text)
    placed_at: Mapped[datetime] = mapped_column(index=True)


class OrderItem(Base):
    """One line of an order, at the price of that day."""

    __tablename__ = "order_items"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    quantity: Mapped[int]
    unit_price: Mapped[int]


class Shipment(Base):
    """One parcel of an order."""

    __tablename__ = "shipments"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    carrier: Mapped[str] = mapped_column(String(20))
    tracking_number: Mapped[str | None] = mapped_column(String(40))
    shipped_at: Mapped[datetime]


class Review(Base):
    """What a customer thinks of a product."""

    __tablename__ = "reviews"
    __table_args__ = (
        CheckConstraint("stars BETWEEN 0 AND 5", name="ck_reviews_stars"),
        UniqueConstraint("product_id", "customer_id"),
        Index("ix_reviews_product_id", "product_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    stars: Mapped[int]
    body: Mapped[str | None] = mapped_column(Text)
    is_published: Mapped[bool] = mapped_column(server_default=false())
    created_at: Mapped[datetime]


class StockMovement(Base):
    """The ledger of the warehouse: what came in or was lost, other than by selling."""

    __tablename__ = "stock_movements"
    __table_args__ = (
        CheckConstraint("kind IN ('delivery', 'correction', 'breakage')", name="ck_stock_movements_kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    delta: Mapped[int]
    moved_at: Mapped[datetime]
