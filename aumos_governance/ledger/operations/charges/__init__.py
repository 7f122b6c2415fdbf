"""Spends and holds, and what becomes of them."""
