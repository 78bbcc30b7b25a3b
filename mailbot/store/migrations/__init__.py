"""The schema's history, one file a step. `store.schema.upgrade` applies what is missing; nothing else runs them."""
