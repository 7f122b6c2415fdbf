"""What engines have in common: actions and decisions, grants, approvals, the interface `Engine`, and the registry.

An engine decides whether an agent's action may run, and records the decision. Through the registry, code in a notebook
finds the notebook's engine.
"""
