"""The SDK's access to the audit trail: `AuditLogger` reads an engine's recorded decisions, and adds others."""
