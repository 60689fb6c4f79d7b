"""The column mappings of a district: their versions, and which one applies to a file."""
