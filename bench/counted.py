"""What `bench.counting` counts: conversions posted in process, in batches, by a server's own parts without gRPC.

Run under callgrind, which is told to count when the accounts are remembered, and to stop after so many conversions.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import requests
from bench.world import Party
from exchange.api import wire
from exchange.api.answers import ConvertAnswer
from exchange.api.context import Api
from exchange.app import opened
from exchange.callers import Caller
from exchange.config import Settings
from exchange.directory.authentication import DirectoryAuthenticator
from exchange.serving.collector import Collector
from exchange.v1 import transfer_service_pb2 as pb

PARTIES = "COUNTED_PARTIES"
"""The environment variable that names the file of the merchants that post."""
_UNCOUNTED = 24_000
"""Before counting, so that nearly every account has been moved once."""

Asked = tuple[Caller, bytes]


async def _post(api: Api, answer: ConvertAnswer, batch: Sequence[Asked]) -> None:
    """From requests' bytes to those of their answers, as single calls that are decided together."""
    parse = pb.ConvertPointsRequest.FromString
    commands = [wire.to_convert(parse(data), caller) for caller, data in batch]
    answers = [api.poster.tell((command,), answer.write) for command in commands]
    for written in answers:
        await written


def _count(*, on: bool) -> None:
    switch = ("callgrind_control", "-i", "on" if on else "off", str(os.getpid()))
    subprocess.run(switch, check=True, stdout=subprocess.DEVNULL)


async def _main(size: int, conversions: int, parties: list[Party]) -> None:
    settings = Settings()
    assert settings.database_url is not None, "the bench says where"
    async with opened(settings, settings.database_url, []) as api:
        authenticator = DirectoryAuthenticator(api.source)
        before = -(-_UNCOUNTED // size)
        total = before * size + conversions
        asked: list[Asked] = []
        for party in parties:
            caller = await authenticator.by_key(party.secret)
            asked += [(caller, data) for data in requests.converts(party, -(-total // len(parties)))]
        random.shuffle(asked)
        batches = [asked[at : min(at + size, total)] for at in range(0, total, size)]
        answer = ConvertAnswer(pb.ConvertPointsResponse)
        Collector.calm()
        for place, batch in enumerate(batches):
            if place == before:
                _count(on=True)
            await _post(api, answer, batch)
        _count(on=False)


if __name__ == "__main__":
    told = json.loads(Path(os.environ[PARTIES]).read_text(encoding="utf-8"))
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2]), [Party(**party) for party in told]))
