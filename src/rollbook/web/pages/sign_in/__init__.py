"""Sign-in pages: sign in, enter a code, sign out, and reset a password."""
