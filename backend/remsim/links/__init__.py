"""Up to eight links to the Internet used as one: what carries new flows, and what happens when a link fails."""
