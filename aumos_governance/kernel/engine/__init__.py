"""The engine that decides about actions of code in a notebook, by requests to the notebook service."""
