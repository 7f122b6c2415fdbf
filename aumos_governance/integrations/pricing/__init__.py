"""What usage costs: prices and their terms, sellers, sizes, and the evidence of what was used."""
