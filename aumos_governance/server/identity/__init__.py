"""Which notebook a kernel serves, where that notebook's file is, and which user sent a request."""
