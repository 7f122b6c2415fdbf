"""The adapter for Google's Gemini API at generativelanguage.googleapis.com, and for the same API on Vertex AI.

The server's gateway and the adapters for frameworks use it; `govern` does not accept Google's client.
"""
