"""Virtual osmo-remsim: a server, banks and clients that speak RSPRO and behave as the real ones do, faults included.

``python -m remsim.simulator.remsim server|bankd|client`` runs one of them, with the real program's options.
"""
