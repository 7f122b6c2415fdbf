"""The Jupyter server's side: REST for people and tools, events for pages, and the bridge to every kernel."""
