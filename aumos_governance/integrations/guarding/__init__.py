"""One governed call: held before it is sent, settled after."""
