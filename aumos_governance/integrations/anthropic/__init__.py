"""The adapter for Anthropic's API: which requests cost money, how much at most, and how much by their responses.

Anthropic's clients for Bedrock, Vertex AI and Foundry use it too.
"""
