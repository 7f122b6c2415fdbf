"""The audit trail of an engine's decisions, as SDK users read and extend it."""
