"""The parts of `govern`: they copy a client, make it look like the plain one, and hold and settle its attempts."""
