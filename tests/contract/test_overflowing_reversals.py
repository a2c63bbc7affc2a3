"""A reversal for which 64 bits have no room is refused, not wrapped and not broken."""

from tests.contract.cast import Cast
from tests.contract.refusals import refusal
from tests.contract.stillness import nothing_changes
from tests.movements import a_redemption, a_reversal
from tests.servers import Server
from tests.worlds import World

INT64_MAX = 2**63 - 1


async def test_points_given_back_never_pass_64_bits(cast: Cast, world: World, server: Server) -> None:
    """Refused whole when there is no room for them any more."""
    await world.currency("RVB", cast.tel, issue=0, redeem=0)
    ada = await cast.member()
    await cast.tel.earn(ada, f"{INT64_MAX} RVB")
    used = (await cast.caf.post(a_redemption(ada, "5 RVB"))).transfer
    await cast.tel.earn(ada, "1 RVB")

    async with nothing_changes(server):
        refused = await refusal(cast.caf.post(a_reversal(used)))

    assert (refused.reason, refused.metadata["figure"]) == ("AMOUNT_OVERFLOW", "balance")


async def test_what_a_member_owes_never_passes_64_bits(cast: Cast, world: World, server: Server) -> None:
    """Two awards of all that 64 bits hold, both spent: only one of them can be taken back."""
    await world.currency("RVD", cast.tel, issue=0, redeem=0, negative_balances=True)
    ada = await cast.member()
    awards = []
    for _ in range(2):
        awards.append((await cast.tel.earn(ada, f"{INT64_MAX} RVD")).transfer)
        await cast.caf.redeem(ada, f"{INT64_MAX} RVD")
    await cast.tel.post(a_reversal(awards[0]))

    async with nothing_changes(server):
        refused = await refusal(cast.tel.post(a_reversal(awards[1])))

    assert (refused.reason, refused.metadata["figure"]) == ("AMOUNT_OVERFLOW", "balance")
    assert await cast.tel.balances(ada) == {"RVD": -INT64_MAX}
