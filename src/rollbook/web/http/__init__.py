"""What all HTTP interfaces share: authentication, errors, responses and upload forms."""
