"""SettlementService on the wire."""
