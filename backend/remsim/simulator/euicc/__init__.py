"""A virtual eUICC and the servers it is provisioned from, with real cryptography; no code of the LPA but the codec."""
