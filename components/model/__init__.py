"""Model servers: what one needs, and the runtimes that can serve it."""
