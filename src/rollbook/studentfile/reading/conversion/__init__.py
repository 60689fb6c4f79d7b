"""Convert files of other formats to CSV in UTF-8, with the same rows on the same lines."""
