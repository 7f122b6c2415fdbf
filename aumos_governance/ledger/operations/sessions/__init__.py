"""The operations that open, change and close governance sessions, and that move, delete and merge notebooks.

Two notebooks are merged if both prove to be the same file, for example by a link.
"""
