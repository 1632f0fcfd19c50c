"""A process of its own that leads TCP of the LAN through a server by MPTCP; it knows nothing of the service."""
