"""Cells that begin with ``%%governed``, and the tracking of running cells."""
