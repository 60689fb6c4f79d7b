"""Staff members: adding, inviting, importing, changing and deactivating them."""
