"""What an operator calls: login, device profiles, devices, credentials, attributes, bulk import, customers (section 4)."""
