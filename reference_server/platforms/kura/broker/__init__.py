"""The MQTT side of the Kura namespace: who may connect, who may say and hear what, and what becomes of it."""
