"""Who is told what, and when: rules in force, alerts and their history, silences, channels and their queue."""
