"""What the browser tests stand on: a real Jupyter application, notebooks, and pages that drive it."""
