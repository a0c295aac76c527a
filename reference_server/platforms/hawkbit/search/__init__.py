"""Lists: RSQL, sorting, paging, and the fields that can be searched."""
