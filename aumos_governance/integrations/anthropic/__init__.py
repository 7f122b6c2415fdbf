"""The adapter for Anthropic's API: which requests cost money, the most that they can cost, and what they did cost.

Anthropic's clients for Bedrock, Vertex AI and Foundry use it too.
"""
