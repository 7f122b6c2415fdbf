"""Identification of the notebook that a kernel serves, of the notebook's file, and of the user who sent a request."""
