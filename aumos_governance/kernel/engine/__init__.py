"""The engine that code in a notebook uses for decisions; it sends each as a request to the notebook service."""
