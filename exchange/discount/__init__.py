"""Points taken as cash (抵扣)."""
