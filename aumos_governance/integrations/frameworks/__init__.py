"""The worst cases and the costs of calls through agent frameworks, computed from the frameworks' own objects."""
