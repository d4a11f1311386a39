"""A price list is kept in step with a shop's products, each in a database of its own: see `README.md`."""
