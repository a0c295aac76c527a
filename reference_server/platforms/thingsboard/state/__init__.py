"""What the server knows and the rules it keeps, apart from who asks: records, credentials, generations, settings."""
