"""Who and what a file has declared, so that a name that stands nowhere is told before anything is started."""

from __future__ import annotations

from exchange.scenario.sections import Section


class Names:
    """The merchants, currencies, earn rules and promotions declared so far, beside the operator.

    Args:
        operator: its id.
        where: where they are declared, for whoever names one that is not.
    """

    def __init__(self, operator: str, where: str = "of this file") -> None:
        self.operator, self._where = operator, where
        self.merchants: set[str] = set()
        self.currencies: set[str] = set()
        self.earn_rules: dict[str, str] = {}
        """The currency of each, by id."""
        self.promotions: set[str] = set()

    def add_merchant(self, part: Section, key: str, merchant: str) -> None:
        """Declare one. Raises BadScenario when the name is taken."""
        if merchant in self.merchants or merchant == self.operator:
            part.wrong(key, f"{merchant} stands for somebody else already")
        self.merchants.add(merchant)

    def add_currency(self, part: Section, key: str, currency: str) -> None:
        """Declare one. Raises BadScenario when the code is taken."""
        if currency in self.currencies:
            part.wrong(key, f"{currency} stands twice")
        self.currencies.add(currency)

    def add_earn_rule(self, part: Section, key: str, rule: str, currency: str) -> None:
        """Declare one. Raises BadScenario when the id is taken."""
        if rule in self.earn_rules:
            part.wrong(key, f"{rule} stands twice")
        self.earn_rules[rule] = currency

    def add_promotion(self, part: Section, key: str, promotion: str) -> None:
        """Declare one. Raises BadScenario when the id is taken."""
        if promotion in self.promotions:
            part.wrong(key, f"{promotion} stands twice")
        self.promotions.add(promotion)

    def require_merchant(self, part: Section, key: str, merchant: str) -> None:
        """Raises BadScenario when no such merchant is declared."""
        if merchant not in self.merchants:
            part.wrong(key, f"names no merchant {self._where}: {merchant}")

    def require_participant(self, part: Section, key: str, name: str) -> None:
        """Raises BadScenario when it is neither a merchant nor the operator."""
        if name != self.operator:
            self.require_merchant(part, key, name)

    def require_currency(self, part: Section, key: str, currency: str) -> None:
        """Raises BadScenario when no such currency is declared."""
        if currency not in self.currencies:
            part.wrong(key, f"names no currency {self._where}: {currency}")

    def require_earn_rule(self, part: Section, key: str, rule: str, currency: str) -> None:
        """Raises BadScenario when no such rule is declared, or it makes points of another currency."""
        if rule not in self.earn_rules:
            part.wrong(key, f"names no earn rule of this file: {rule}")
        if self.earn_rules[rule] != currency:
            part.wrong(key, f"makes {self.earn_rules[rule]}, not {currency}")
