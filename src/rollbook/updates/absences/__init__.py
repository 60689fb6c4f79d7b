"""Full sync: who isn't named by a file, counts as missing, and is deactivated after some days."""
