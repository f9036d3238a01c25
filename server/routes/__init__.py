"""The routes under `/v1`, a module per subject. They only translate; the work is in `server.service`."""
