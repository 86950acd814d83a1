"""A shop to look around in: products, customers and ninety days of orders, all invented."""
