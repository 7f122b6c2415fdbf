"""The adapter for OpenAI's API, also on Azure and on other servers with the same API."""
