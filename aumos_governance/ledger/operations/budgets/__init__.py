"""The limits around sessions and within them."""
