"""How an envelope travels: in virtual time or over a socket."""
