"""Computes the worst cases and costs of calls that agent frameworks make, from the frameworks' own objects.

The adapters `integrations.langchain` and `integrations.litellm` use this package.
"""
