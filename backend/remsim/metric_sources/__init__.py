"""Where metrics come from: at a scrape each source asks the owner of the truth for what it has in memory."""
