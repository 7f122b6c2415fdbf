"""What agents may do: their levels, consents, and the actions that are checked against them."""
