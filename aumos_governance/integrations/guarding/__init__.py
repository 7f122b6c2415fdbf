"""Holds the worst case of a governed call before it is sent, and settles its true cost afterwards."""
