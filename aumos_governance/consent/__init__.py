"""The SDK's consents, with which users allow agents to use data: `ConsentManager`."""
