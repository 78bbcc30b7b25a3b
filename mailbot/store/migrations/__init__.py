"""The migrations of the schema, one file each. Only `store.schema.upgrade` runs them."""
