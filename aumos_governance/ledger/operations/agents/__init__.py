"""The operations on agents' trust levels and consents, and the operation that checks whether an action is allowed."""
