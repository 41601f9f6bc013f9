"""Commands: clients of the HTTP API, in this process when no server is named."""
