"""The web server, its certificates, and the supervisor that keeps web server and worker running."""
