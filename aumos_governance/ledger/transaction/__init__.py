"""One transaction: its rows and tables, and the `Work` that changes them."""
