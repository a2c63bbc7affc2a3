"""Why an amount cannot be converted."""

from __future__ import annotations


class FxProblem(Exception):
    """A conversion that is refused; `data` names what it is about."""

    sentence = ""

    def __init__(self, **data: object) -> None:
        self.data = {name: str(value) for name, value in data.items()}
        super().__init__(self.sentence.format(**self.data))


class FxRateMissing(FxProblem):
    """A set has no rate this way, and none of the base's completes one."""

    sentence = "fx set {fx_set} has no rate from {from_currency} to {to_currency}, nor through its base"


class FxAmountTooLarge(FxProblem):
    """What an amount comes to is beyond 64 bits."""

    sentence = "{minor_units} minor units of {from_currency} are more in {to_currency} than 64 bits hold"
