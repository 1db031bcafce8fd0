"""The whole product as processes: web, worker, both sandboxes; on SQLite and on PostgreSQL."""
