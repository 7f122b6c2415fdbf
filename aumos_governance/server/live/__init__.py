"""Live data: events for pages, and metrics."""
