"""PROV-SIM1, our labelled profile of the provisioning dialogue (spec 1.6): the vendor's wire format is not public."""
