"""Which traffic should go where: the policy language, its compiler to nftables, and what explains its decisions."""
