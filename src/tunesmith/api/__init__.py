"""The HTTP server: app factory, error rendering, middleware, and the web UI's files."""
