"""Which document a kernel serves, where it lies, and who the user is."""
