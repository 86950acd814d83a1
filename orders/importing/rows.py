"""What a line of each file says, as a row of ours: not stored yet, and held to the models' own rules."""

from collections.abc import Mapping
from datetime import UTC, datetime

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils import timezone

from orders.importing.reading import Broken, Row
from orders.models import Category, Currency, Order, OrderLine, OrderStatus, Product, Profile, User

CURRENCY = Currency.USD
"""The files do not name it; the shop they come from counts in dollars."""

COLUMNS = {
    "categories.csv": ("categoryID", "categoryName", "description"),
    "customers.csv": (
        "customerID",
        "companyName",
        "contactName",
        "address",
        "city",
        "region",
        "postalCode",
        "country",
        "phone",
    ),
    "products.csv": (
        "productID",
        "productName",
        "categoryID",
        "quantityPerUnit",
        "unitPrice",
        "discontinued",
    ),
    "orders.csv": (
        "orderID",
        "customerID",
        "orderDate",
        "requiredDate",
        "shippedDate",
        "freight",
        "shipName",
        "shipAddress",
        "shipCity",
        "shipRegion",
        "shipPostalCode",
        "shipCountry",
    ),
    "order-details.csv": ("orderID", "productID", "unitPrice", "quantity", "discount"),
}


def email_of(customer_id: str) -> str:
    """Return the address that stands for a customer: the files hold none, and a user needs one."""
    return f"{customer_id.lower()}@northwind.example"


def sku_of(product_id: str) -> str:
    """Return the SKU a product is known by here."""
    return f"NW-{product_id}"


def reference_of(order_id: str) -> str:
    """Return the reference an order is known by here."""
    return f"NW-{order_id}"


def to_category(row: Row) -> Category:
    """Return the category of a line; its picture is left out."""
    return _checked(Category(name=row["categoryName"], description=row["description"]))


def to_product(row: Row, categories: Mapping[str, Category]) -> Product:
    """Return the product of a line; what is in stock is left out."""
    product = Product(
        sku=sku_of(_given(row, "productID")),
        name=row["productName"],
        category=_known(categories, "category", row["categoryID"]) if row["categoryID"] else None,
        packaging=row["quantityPerUnit"],
        price=row["unitPrice"],
        currency=CURRENCY,
        is_active=_choice(row, "discontinued", {"0": True, "1": False}),
    )
    return _checked(product, "category")


def to_customer(row: Row) -> User:
    """Return the customer of a line: the contact person, who cannot log in, with the company as profile."""
    first_name, _, last_name = row["contactName"].partition(" ")
    user = User(email=email_of(row["customerID"]), first_name=first_name, last_name=last_name)
    user.set_unusable_password()
    profile = Profile(
        user=user,
        company=row["companyName"],
        phone=row["phone"],
        street=row["address"],
        city=row["city"],
        region=row["region"],
        postal_code=row["postalCode"],
        country=row["country"],
    )
    _checked(profile, "user")
    return _checked(user)


def to_order(row: Row, customers: Mapping[str, User]) -> Order:
    """Return the order of a line, its total still to come: delivered if it says so, else paid for."""
    _given(row, "orderDate")
    shipped_at = _time_of(row, "shippedDate")
    order = Order(
        reference=reference_of(_given(row, "orderID")),
        customer=_known(customers, "customer", row["customerID"]),
        status=OrderStatus.COMPLETED if shipped_at else OrderStatus.PAID,
        currency=CURRENCY,
        placed_at=_time_of(row, "orderDate"),
        shipped_at=shipped_at,
        deliver_to=_address_of(row),
        note=_note_of(row),
    )
    return _checked(order, "customer")


def to_line(row: Row, products: Mapping[str, Product]) -> OrderLine:
    """Return the order line of a line, at the price it was sold at."""
    line = OrderLine(
        product=_known(products, "product", row["productID"]),
        quantity=row["quantity"],
        unit_price=_given(row, "unitPrice"),
        discount=row["discount"],
    )
    _checked(line, "product", "order").complete()
    return _checked(line, "product", "order")


def _known[Thing](things: Mapping[str, Thing], kind: str, name: str) -> Thing:
    try:
        return things[name]
    except KeyError:
        raise Broken(f"there is no {kind} {name}") from None


def _checked[Record: Model](record: Record, *links: str) -> Record:
    """Turn the texts into values, as a form of the admin would.

    Args:
        links: the foreign keys, which were looked up and are not asked for again.

    Raises:
        Broken: a value is not what its field takes.
    """
    try:
        record.clean_fields(exclude={*links})
    except ValidationError as error:
        found = error.message_dict.items()
        words = (f"{field.replace('_', ' ')}: {' '.join(messages)}" for field, messages in found)
        raise Broken("; ".join(words)) from error
    return record


def _given(row: Row, column: str) -> str:
    if not row[column]:
        raise Broken(f"it has no {column}")
    return row[column]


def _choice[Value](row: Row, column: str, values: Mapping[str, Value]) -> Value:
    try:
        return values[row[column]]
    except KeyError:
        raise Broken(f"{column}: {row[column]!r} is not one of {', '.join(values)}") from None


def _time_of(row: Row, column: str) -> datetime | None:
    """Return a date with time, on the shop's clocks."""
    if not row[column]:
        return None
    try:
        local = timezone.make_aware(datetime.fromisoformat(row[column]), timezone.get_default_timezone())
        return local.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Broken(f"{column}: {row[column]!r} is not a date with time") from error


def _address_of(row: Row) -> str:
    town = " ".join(filter(None, (row["shipPostalCode"], row["shipCity"])))
    lines = (row["shipName"], row["shipAddress"], town, row["shipRegion"], row["shipCountry"])
    return "\n".join(filter(None, lines))


def _note_of(row: Row) -> str:
    """What has no column here, for colleagues. The freight is no part of an order's total."""
    required_at = _time_of(row, "requiredDate")
    wanted = f"Wanted by {required_at:%d %b %Y}. " if required_at else ""
    return f"{wanted}Freight: {row['freight'] or 'unknown'} {CURRENCY}, not in the total."
