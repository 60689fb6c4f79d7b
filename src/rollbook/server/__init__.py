"""How it runs: certificates, the web server's connections, and the one command that keeps web and worker alive."""
