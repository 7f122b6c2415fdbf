"""What whoever runs the server has configured."""
