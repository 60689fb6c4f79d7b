"""The three addresses of the nightly scripts: curl in, plain text out."""
