"""What the kernel does with cells: it runs those that begin with ``%%governed``, tracks all, and reports them."""
