"""SIG-SIM1, our labelled profile for signed control messages (spec 3.6): the vendor's own form is not public."""
