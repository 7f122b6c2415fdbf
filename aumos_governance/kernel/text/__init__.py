"""Parses the lines of magics, and makes the text and HTML that cells show."""
