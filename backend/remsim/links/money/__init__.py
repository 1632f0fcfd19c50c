"""What links cost: tariffs, what was carried, what the cycle will come to."""
