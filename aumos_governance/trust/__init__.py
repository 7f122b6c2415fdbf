"""The SDK's trust levels of agents: `TrustManager`."""
