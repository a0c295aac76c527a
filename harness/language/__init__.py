"""The reference of the scenario language: each word with sentence, keys and example, made from the models."""
