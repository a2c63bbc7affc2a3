"""A partition of the present ended before its time, so that one need not wait a year to see it leave."""

from exchange.db.engine import DriverConnection

_PRESENT = """
SELECT part_name, from_id, to_id FROM exchange.ledger_parts_v1
WHERE from_id <= exchange.id_at(clock_timestamp()) AND to_id > exchange.id_at(clock_timestamp())
"""
_ATTACH = "ALTER TABLE exchange.transfers ATTACH PARTITION exchange.{} FOR VALUES FROM ({}) TO ('{}')"


async def cut(connection: DriverConnection) -> str:
    """End the partition of the present now and begin the next; the name of what ended. Posters wait meanwhile."""
    async with connection.transaction():
        await connection.execute("LOCK TABLE exchange.transfers IN ACCESS EXCLUSIVE MODE")
        present = await connection.fetchrow(_PRESENT)
        assert present is not None, "there is a partition for now"
        name, from_id, to_id = present
        # Ids know milliseconds: those of this one are still the old part's.
        edge = await connection.fetchval("SELECT exchange.id_at(clock_timestamp() + interval '2 milliseconds')")
        later = f"{name}_later"
        begins = "MINVALUE" if from_id.int == 0 else f"'{from_id}'"
        await connection.execute(f"ALTER TABLE exchange.transfers DETACH PARTITION exchange.{name}")
        await connection.execute(_ATTACH.format(name, begins, edge))
        await connection.execute(f"CREATE TABLE exchange.{later} (LIKE exchange.transfers INCLUDING ALL)")
        await connection.execute(_ATTACH.format(later, f"'{edge}'", to_id))
        await connection.execute("UPDATE exchange.ledger_parts SET to_id = $2 WHERE part_name = $1", name, edge)
        await connection.execute(
            "INSERT INTO exchange.ledger_parts (part_name, from_id, to_id) VALUES ($1, $2, $3)", later, edge, to_id
        )
        await connection.execute("SELECT pg_sleep(0.003)")
        return str(name)
