"""The data plane in the kernel: one nftables table, ip rules and tables, conntrack.

``table`` says what the table should be and ``difference`` how to get there, both pure; ``plane`` puts them in force.
"""
