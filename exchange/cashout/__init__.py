"""Points paid out in money by an agent (提现)."""
