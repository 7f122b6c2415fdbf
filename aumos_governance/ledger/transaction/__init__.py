"""One transaction: its rows and tables, and the work that is done on them."""
