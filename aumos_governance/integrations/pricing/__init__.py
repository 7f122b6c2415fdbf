"""Prices of models and their terms, sellers' usage reports, size bounds of requests, and checks of usage reports."""
