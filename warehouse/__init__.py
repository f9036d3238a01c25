"""Customer data: schema, catalog, clock, demo bank, importer and evidence. The ground floor; imports no other room."""
