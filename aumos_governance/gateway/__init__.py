"""The providers' own APIs on this machine: an authorized call goes on with a key that no client has."""
