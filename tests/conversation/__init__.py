"""A small platform with sessions, and a front for it: what a conversation is, without any real platform's words."""
