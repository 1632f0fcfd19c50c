"""HTTP: one module a resource, thin; the live stream; the server that carries both."""
