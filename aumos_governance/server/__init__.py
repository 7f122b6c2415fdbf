"""The Jupyter server's side: REST for users and programs, events for pages, and the bridge to every kernel."""
