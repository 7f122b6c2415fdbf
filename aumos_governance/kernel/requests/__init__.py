"""The client that sends a kernel's requests, waits for responses, resends lost requests and cancels unused ones."""
