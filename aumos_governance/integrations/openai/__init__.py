"""The adapter for OpenAI's API, on OpenAI's servers, on Azure, and on other servers with the same API.

It knows which requests cost money, the most that they can cost, and what they did cost.
"""
