"""The present models of a small kitchenware shop's back office.

They are the newer of two versions: ``history/models_v1.py`` is the one that the database was made from.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    MetaData,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """What all tables share: constraints have names, so that a message from the database says which rule was broken.

    Checks are named one by one, since only a person knows what a condition means.
    """

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )


class Customer(Base):
    """Somebody with an account; the address to write to is also the name to sign in with."""

    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Shown in links and to partners, who need not know how many customers there are.
    public_id: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    full_name: Mapped[str] = mapped_column(String(120))
    # People do not remember how they capitalised their address when they signed up.
    email: Mapped[str] = mapped_column(String(255, collation="NOCASE"), unique=True)
    phone: Mapped[str | None] = mapped_column(String(30))
    locale: Mapped[str] = mapped_column(String(5), default="en")
    marketing_consent: Mapped[bool] = mapped_column(server_default=false())
    created_at: Mapped[datetime]

    orders: Mapped[list["Order"]] = relationship(back_populates="customer")
    wishlist: Mapped[list["WishlistItem"]] = relationship(back_populates="customer", passive_deletes=True)


class Product(Base):
    """One article of the catalogue. Its rating is written by a trigger, see ``make_database.py``."""

    __tablename__ = "products"
    # Left without a name, as in the first version: old databases have it that way.
    __table_args__ = (CheckConstraint("stock >= 0"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(String(30), index=True)
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    stock: Mapped[int] = mapped_column(server_default="0")
    in_stock: Mapped[bool] = mapped_column(Computed("stock > 0", persisted=False))
    weight_grams: Mapped[int | None]
    rating: Mapped[float | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())

    reviews: Mapped[list["Review"]] = relationship(back_populates="product")


class WishlistItem(Base):
    """A product that a customer wants to remember.

    Always read by customer, so the key begins with the customer and the table is stored in the order of its key.
    """

    __tablename__ = "wishlist_items"
    __table_args__ = ({"sqlite_with_rowid": False},)

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"), primary_key=True)
    added_at: Mapped[datetime]

    customer: Mapped[Customer] = relationship(back_populates="wishlist")
    product: Mapped[Product] = relationship()


class Coupon(Base):
    """A discount that is given for a code."""

    __tablename__ = "coupons"
    __table_args__ = (CheckConstraint("percent_off BETWEEN 1 AND 100", name="ck_coupons_percent_off"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(24), unique=True)
    percent_off: Mapped[int]
    max_uses: Mapped[int] = mapped_column(server_default="100")
    valid_until: Mapped[datetime | None]


class Order(Base):
    """What a customer ordered. Its id is the order number on the invoice, and no number is ever given twice."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint(
            "status IN ('new', 'paid', 'packed', 'shipped', 'cancelled', 'returned')", name="ck_orders_status"
        ),
        # The back office lists the newest orders first.
        Index("ix_orders_placed_at", text("placed_at DESC")),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    coupon_id: Mapped[int | None] = mapped_column(ForeignKey("coupons.id", ondelete="SET NULL"))
    status: Mapped[str] = mapped_column(String(12), server_default="new")
    channel: Mapped[str] = mapped_column(String(16), default="web")
    currency: Mapped[str] = mapped_column(String(3), server_default="EUR")
    shipping_country: Mapped[str] = mapped_column(String(2))
    placed_at: Mapped[datetime]

    customer: Mapped[Customer] = relationship(back_populates="orders")
    coupon: Mapped[Coupon | None] = relationship()
    items: Mapped[list["OrderItem"]] = relationship(
        back_populates="order", cascade="all, delete-orphan", passive_deletes=True
    )
    shipments: Mapped[list["Shipment"]] = relationship(back_populates="order")


class OrderItem(Base):
    """One line of an order, at the price of that day. A product is on one line only, with its quantity."""

    __tablename__ = "order_items"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="ck_order_items_quantity"),
        UniqueConstraint("order_id", "product_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    quantity: Mapped[int]
    unit_price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    line_total: Mapped[Decimal] = mapped_column(Numeric(10, 2), Computed("quantity * unit_price", persisted=True))

    order: Mapped[Order] = relationship(back_populates="items")
    product: Mapped[Product] = relationship()
    returns: Mapped[list["Return"]] = relationship(back_populates="order_item")


class Shipment(Base):
    """One parcel of an order; it is prepared first and gets its date when the carrier has it."""

    __tablename__ = "shipments"
    __table_args__ = (
        # The carriers' status messages name nothing but the number; a parcel has none until it is labelled.
        Index("ix_shipments_tracking_number", "tracking_number", sqlite_where=text("tracking_number IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    carrier: Mapped[str] = mapped_column(String(60))
    tracking_number: Mapped[str | None] = mapped_column(String(40))
    shipped_at: Mapped[datetime | None]

    order: Mapped[Order] = relationship(back_populates="shipments")


class Review(Base):
    """An opinion on a product. It stays when its author leaves, and whoever buys again may write again."""

    __tablename__ = "reviews"
    __table_args__ = (
        CheckConstraint("stars BETWEEN 1 AND 5", name="ck_reviews_stars"),
        # The product page shows published reviews only; the others are read by nobody but the moderator.
        Index("ix_reviews_product_id", "product_id", sqlite_where=text("is_published")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="SET NULL"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id", ondelete="SET NULL"))
    stars: Mapped[int]
    body: Mapped[str | None] = mapped_column(Text)
    is_published: Mapped[bool] = mapped_column(server_default=false())
    created_at: Mapped[datetime]

    product: Mapped[Product] = relationship(back_populates="reviews")
    customer: Mapped[Customer | None] = relationship()


class StockMovement(Base):
    """The ledger of the warehouse. It outlives the products, so their number is kept without a foreign key."""

    __tablename__ = "stock_movements"
    __table_args__ = (
        CheckConstraint("kind IN ('delivery', 'correction', 'breakage')", name="ck_stock_movements_kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(12))
    delta: Mapped[int]
    moved_at: Mapped[datetime]


class Return(Base):
    """Something that a customer sent back."""

    __tablename__ = "returns"
    __table_args__ = (
        CheckConstraint("reason IN ('damaged', 'wrong item', 'not as described', 'other')", name="ck_returns_reason"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_item_id: Mapped[int] = mapped_column(ForeignKey("order_items.id"), index=True)
    reason: Mapped[str] = mapped_column(String(20))
    refunded: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    requested_at: Mapped[datetime] = mapped_column(server_default=func.now())

    order_item: Mapped[OrderItem] = relationship(back_populates="returns")
