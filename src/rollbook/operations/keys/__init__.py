"""What the operator does with secret keys: listing, rotating and replacing lost ones."""
