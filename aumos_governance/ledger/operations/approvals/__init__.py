"""What a user approves beforehand, and what a user reviews afterwards."""
