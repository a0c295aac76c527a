"""The administrator's REST API: `/v1` as in Kapua (spec 5.5), `/v2/provisionRequests` (1.5)."""
