"""A lab on one machine: warehouses with generated rows, and the daemon at work on them."""
