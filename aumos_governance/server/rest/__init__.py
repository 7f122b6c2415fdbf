"""The REST interface of governance, for pages, commands and users' programs; ``openapi.yaml`` describes it."""
