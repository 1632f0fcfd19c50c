"""History: series in RRD, events and usage in SQLite, statistics and export."""
