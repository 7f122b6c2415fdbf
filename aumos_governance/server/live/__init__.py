"""What is told while it happens: events for pages, and metrics."""
