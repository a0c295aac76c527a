"""How an envelope travels: in memory or over a socket."""
