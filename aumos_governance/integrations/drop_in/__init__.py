"""What makes a governed client out of a plain one, and look like it."""
