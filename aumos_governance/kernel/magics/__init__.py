"""The IPython magics, such as ``%governance``."""
