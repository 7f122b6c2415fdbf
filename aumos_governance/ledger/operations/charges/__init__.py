"""The operations on charges: spends, which are charged at once, and holds, which are settled or released later."""
