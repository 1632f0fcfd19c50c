"""eSIM: the profiles on an eUICC, and the LPA that downloads, switches and deletes them (SGP.22)."""
