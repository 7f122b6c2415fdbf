"""What goes over the wire: the protocol, its values and bodies, and the channel for lines."""
