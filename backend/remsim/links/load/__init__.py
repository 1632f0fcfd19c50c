"""How new flows are shared: what links carry and can carry becomes the slots of rings, with the reasons in words."""
