"""The kernels that the server governs: found, connected, followed and disconnected."""
