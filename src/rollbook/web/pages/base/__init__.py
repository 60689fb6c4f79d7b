"""Share views, forms, filters, error pages and templates among all pages."""
