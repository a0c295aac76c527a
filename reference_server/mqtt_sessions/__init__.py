"""What platforms decide about MQTT sessions, as data (`SessionRules`), and the behaviour that obeys it. Pure."""
