"""How requests leave the kernel and responses come back."""
