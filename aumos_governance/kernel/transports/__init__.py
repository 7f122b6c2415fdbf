"""The transports, which carry a kernel's requests to the service and the responses back."""
