"""Requests and their responses: sent, waited for, sent again, taken back."""
