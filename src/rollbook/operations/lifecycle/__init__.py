"""The life of a district: suspend, rename, export and delete it; and erase one student."""
