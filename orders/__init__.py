"""The shop: customers, products, orders, payments; their receivers and tasks."""
