"""Import files for tests: a small shop's, in the layout of Northwind's."""

from pathlib import Path

HEADERS = {
    "categories": "categoryID,categoryName,description,picture",
    "customers": (
        "customerID,companyName,contactName,contactTitle,address,city,region,postalCode,country,phone,fax"
    ),
    "products": (
        "productID,productName,supplierID,categoryID,quantityPerUnit,unitPrice,unitsInStock,unitsOnOrder,"
        "reorderLevel,discontinued"
    ),
    "orders": (
        "orderID,customerID,employeeID,orderDate,requiredDate,shippedDate,shipVia,freight,shipName,"
        "shipAddress,shipCity,shipRegion,shipPostalCode,shipCountry"
    ),
    "order-details": "orderID,productID,unitPrice,quantity,discount",
}

KILN = "KILNS,Kiln Yard,Kim Yard,Owner,3, Kiln Lane,Bristol,NULL,BS1,United Kingdom,0117,NULL"


def order(number: int = 1, *, customer: str = "KILNS", placed: str = "1996-07-04", shipped: str = "") -> str:
    """Return a line of orders.csv."""
    shipped = f"{shipped} 00:00:00.000" if shipped else "NULL"
    return (
        f"{number},{customer},5,{placed} 00:00:00.000,1996-08-01 00:00:00.000,{shipped},3,32.38,Kiln Yard,"
        "3, Kiln Lane,Bristol,NULL,BS1,United Kingdom"
    )


def line(
    order: int = 1, product: int = 1, price: str = "10.00", quantity: str = "2", discount: str = "0"
) -> str:
    """Return a line of order-details.csv."""
    return f"{order},{product},{price},{quantity},{discount}"


def write_files(folder: Path, **lines: list[str]) -> Path:
    """Write the five files, one good line each unless others are given."""
    good = {
        "categories": ["1,Clay,Clay and glazes,0x15"],
        "customers": [KILN],
        "products": ["1,White clay,1,1,10 kg bag,12.00,5,0,0,0"],
        "orders": [order()],
        "order_details": [line()],
    }
    for name, content in {**good, **lines}.items():
        name = name.replace("_", "-")
        (folder / f"{name}.csv").write_text("\n".join([HEADERS[name], *content, ""]))
    return folder
