"""`fleetrig ca`: certificates for a bench, written as files that everything else here takes."""
