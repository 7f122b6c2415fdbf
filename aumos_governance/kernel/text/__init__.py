"""Parses the lines of magics, and makes the text that their cells show."""
