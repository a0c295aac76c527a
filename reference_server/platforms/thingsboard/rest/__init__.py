"""What an operator calls: login, profiles, devices, credentials, attributes, bulk import, customers (section 4)."""
