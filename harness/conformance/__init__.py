"""Request-level conformance: does a server answer as the contract of its platform says?"""
