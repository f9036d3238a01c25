"""The server: FastAPI over the service functions; it owns a home's stores while it runs."""
