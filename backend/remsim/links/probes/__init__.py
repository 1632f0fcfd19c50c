"""Whether links carry: each is asked, bound to itself, as often as it takes and as rarely as it may."""
