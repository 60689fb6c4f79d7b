"""The pages of column mappings."""
