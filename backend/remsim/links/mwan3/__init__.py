"""The configuration of mwan3 as links and policies of ours. Names and defaults are those of mwan3 2.12."""
