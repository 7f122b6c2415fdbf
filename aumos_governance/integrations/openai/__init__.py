"""OpenAI's requests and responses, and those of the servers that speak as it does."""
