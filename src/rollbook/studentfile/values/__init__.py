"""The rules that validate one value and return its canonical form."""
