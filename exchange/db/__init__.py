"""The database room: engine, transaction, migrations, and the PostgreSQL a developer gets without installing one."""
