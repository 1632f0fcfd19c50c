"""osmo-remsim: clients, servers and banks of this router; which remote card serves which modem."""
