"""Names of certificates in the forms that Java gives them."""
