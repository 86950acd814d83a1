"""What the demo shop sells: what offices, studios and workshops use up."""

from decimal import Decimal

from orders.models import Category, Product

CATEGORIES = {
    "Paper": "Printing paper, pads, notebooks and labels",
    "Writing": "Pens, pencils, markers and what fills them",
    "Desk": "What lies, stands and lights up on a desk",
    "Shipping": "Boxes, mailers, tape and padding",
    "Workshop": "Cutting, gluing and measuring",
    "Coffee corner": "Coffee, tea, and what they are drunk from",
}

PRODUCTS = (
    ("PAP-101", "Paper", "Printing paper A4, white", "5 reams x 500 sheets", "24.90"),
    ("PAP-102", "Paper", "Printing paper A4, recycled", "5 reams x 500 sheets", "27.50"),
    ("PAP-110", "Paper", "Drawing pad A3", "40 sheets", "11.80"),
    ("PAP-120", "Paper", "Notebook A5, dotted", "10 notebooks", "38.00"),
    ("PAP-121", "Paper", "Notebook A4, ruled", "10 notebooks", "46.50"),
    ("PAP-130", "Paper", "Address labels", "100 sheets x 14", "17.20"),
    ("PAP-140", "Paper", "Sticky notes, yellow", "12 pads x 100", "9.60"),
    ("WRI-201", "Writing", "Ballpoint pen, blue", "50 pens", "19.50"),
    ("WRI-202", "Writing", "Gel pen, black", "12 pens", "16.80"),
    ("WRI-210", "Writing", "Pencil HB", "72 pencils", "21.60"),
    ("WRI-220", "Writing", "Whiteboard marker", "4 colours", "7.90"),
    ("WRI-221", "Writing", "Permanent marker, black", "10 markers", "14.50"),
    ("WRI-230", "Writing", "Fineliner", "20 colours", "23.40"),
    ("DSK-301", "Desk", "LED desk lamp", "1 lamp", "64.00"),
    ("DSK-302", "Desk", "Monitor stand, oak", "1 stand", "49.00"),
    ("DSK-303", "Desk", "Laptop riser, aluminium", "1 riser", "39.90"),
    ("DSK-310", "Desk", "Document tray", "3 trays", "18.60"),
    ("DSK-311", "Desk", "Pen holder, felt", "2 holders", "12.40"),
    ("DSK-320", "Desk", "Desk mat 80 x 40 cm", "1 mat", "29.50"),
    ("DSK-330", "Desk", "Cable box", "1 box", "22.90"),
    ("DSK-340", "Desk", "Wastepaper bin 15 l", "1 bin", "15.80"),
    ("SHP-401", "Shipping", "Cardboard box 30 x 20 x 15 cm", "25 boxes", "21.00"),
    ("SHP-402", "Shipping", "Cardboard box 60 x 40 x 40 cm", "10 boxes", "26.40"),
    ("SHP-410", "Shipping", "Padded mailer, paper", "100 mailers", "34.00"),
    ("SHP-420", "Shipping", "Packing tape, paper", "6 rolls", "16.20"),
    ("SHP-430", "Shipping", "Padding paper", "1 roll of 300 m", "31.50"),
    ("SHP-440", "Shipping", "Parcel scale 30 kg", "1 scale", "58.00"),
    ("WRK-501", "Workshop", "Cutting mat A2", "1 mat", "27.90"),
    ("WRK-502", "Workshop", "Utility knife", "1 knife and 10 blades", "13.90"),
    ("WRK-510", "Workshop", "Steel rule 60 cm", "1 rule", "16.50"),
    ("WRK-520", "Workshop", "Wood glue", "750 g", "12.70"),
    ("WRK-521", "Workshop", "Spray adhesive", "400 ml", "14.20"),
    ("WRK-530", "Workshop", "Laser distance meter", "1 meter", "89.00"),
    ("WRK-540", "Workshop", "Masking tape", "8 rolls", "19.80"),
    ("COF-601", "Coffee corner", "Espresso, whole beans", "6 x 1 kg", "96.00"),
    ("COF-602", "Coffee corner", "Filter coffee, ground", "12 x 500 g", "84.00"),
    ("COF-610", "Coffee corner", "Green tea", "100 bags", "11.50"),
    ("COF-620", "Coffee corner", "Oat drink", "12 x 1 l", "22.80"),
    ("COF-630", "Coffee corner", "Stoneware mug", "6 mugs", "42.00"),
    ("COF-640", "Coffee corner", "Paper cups 200 ml", "1,000 cups", "38.50"),
)

NO_LONGER_SOLD = {"COF-640"}


def stock_catalogue() -> list[Product]:
    """Store the categories and products, and return the products."""
    categories = Category.objects.bulk_create(
        Category(name=name, description=description) for name, description in CATEGORIES.items()
    )
    by_name = {category.name: category for category in categories}
    return Product.objects.bulk_create(
        Product(
            sku=sku,
            category=by_name[category],
            name=name,
            packaging=packaging,
            price=Decimal(price),
            is_active=sku not in NO_LONGER_SOLD,
        )
        for sku, category, name, packaging, price in PRODUCTS
    )
