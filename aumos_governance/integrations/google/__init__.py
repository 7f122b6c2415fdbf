"""Google's Gemini: the API of generativelanguage.googleapis.com, and the same of Vertex AI."""
