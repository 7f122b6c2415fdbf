"""What the gateway knows of each provider's API: one module for each, behind one interface (`api`)."""
