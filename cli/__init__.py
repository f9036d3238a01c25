"""The `touchline` command. In-process where the home is free, over HTTP where a server owns it."""
