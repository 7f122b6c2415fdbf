"""What calls through agent frameworks cost, by the objects that these pass."""
