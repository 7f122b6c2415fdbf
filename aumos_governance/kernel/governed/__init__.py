"""Requests decisions on cells that begin with ``%%governed``, tracks running cells, and reports them to the server."""
