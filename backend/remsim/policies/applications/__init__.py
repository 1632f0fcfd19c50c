"""Which domains and ports applications use: facts that their makers publish, with the date they were put together."""
