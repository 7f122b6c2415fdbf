"""The SDK's trust levels, which limit what each agent may do: `TrustManager`."""
