"""Data about current changes: the events that open pages receive, and the metrics for Prometheus."""
