"""The page on which a district turns on full sync, and sets who may use which mode."""
