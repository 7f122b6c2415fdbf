"""The support of the browser tests: a real Jupyter application, notebooks, and pages that drive it."""
