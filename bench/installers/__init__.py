"""Ways to make a cluster of bare hosts."""
