"""What an update would do, and whether that is more than the district's limits allow."""
