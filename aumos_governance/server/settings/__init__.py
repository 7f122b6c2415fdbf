"""The server's configuration: the traits that validate each setting, and the check of all settings together."""
