"""Currencies whose issuers keep their members' balances themselves (外部账本): conversions in two phases."""
