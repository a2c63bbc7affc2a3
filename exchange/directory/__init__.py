"""Who takes part: merchants, currencies, prices, credentials, members and links."""
