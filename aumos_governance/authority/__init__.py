"""What authorises an action: the action itself, its grant, its approval, and where an engine is found."""
