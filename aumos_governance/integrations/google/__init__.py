"""The adapter for Google's Gemini API at generativelanguage.googleapis.com, and for the same API on Vertex AI."""
