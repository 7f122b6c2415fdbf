"""The notebook's engine in the kernel, which sends requests to the server's service or the embedded one."""
