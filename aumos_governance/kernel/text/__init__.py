"""What is read from a magic's line, and what is shown in its cell."""
