"""How fast and how large: whole runs, single steps, downloads, servers, the command at the door."""
