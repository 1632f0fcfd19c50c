"""MPTCP: one connection uses all links, where its other end speaks it too."""
