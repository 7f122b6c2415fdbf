"""Cells that begin with ``%%governed``, and the cells that run."""
