"""HTTP as ThingsBoard speaks it: requests, errors and routes for both APIs, and what devices call."""
