"""Budgets by category."""
