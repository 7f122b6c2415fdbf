"""The IPython magics: ``%governance``, ``%governance_status``, ``%governance_spend`` and others."""
