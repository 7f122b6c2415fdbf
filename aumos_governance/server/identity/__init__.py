"""Identification: which notebook a kernel serves, which file is the notebook's, and which user sent a REST request."""
