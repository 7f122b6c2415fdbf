"""Actions, their grants and approvals, the interface of an engine, and how the notebook's engine is found."""
