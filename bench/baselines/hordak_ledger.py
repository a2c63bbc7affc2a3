"""django-hordak as its documentation has it used: accounts, and `transfer_to` in a transaction each.

Run as a script by an interpreter of its own, which has Django and nothing of ours:
`python hordak_ledger.py HOST DATABASE PROCESSES SECONDS` prints how many transfers each process made, as JSON.
"""

import json
import multiprocessing
import random
import sys
import time

import django
from django.conf import settings

_ACCOUNTS = 1_000


def _configure(host: str, database: str) -> None:
    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "HOST": host,
                "NAME": database,
                "USER": "postgres",
                "CONN_MAX_AGE": None,
            }
        },
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "mptt", "hordak"],
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=True,
        HORDAK_CURRENCIES=["EUR"],
        DEFAULT_CURRENCY="EUR",
    )
    django.setup()


def _prepare() -> None:
    """Its tables, and accounts to move money between."""
    from django.core.management import call_command
    from hordak.models import Account, AccountType

    call_command("migrate", verbosity=0)
    for number in range(Account.objects.count(), _ACCOUNTS):
        Account.objects.create(name=str(number), code=str(number), type=AccountType.asset, currencies=["EUR"])


def _transfers(host: str, database: str, seconds: float) -> int:
    _configure(host, database)
    from django.db import transaction
    from hordak.models import Account
    from moneyed import EUR, Money

    accounts = list(Account.objects.all())
    done, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        source, target = random.sample(accounts, 2)
        with transaction.atomic():
            source.transfer_to(target, Money(random.randint(1, 100), EUR))
        done += 1
    return done


def main() -> None:
    """Prepare once, then run the processes together."""
    host, database, processes, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        pool.apply(_prepared, (host, database))
    with context.Pool(processes) as pool:
        done = pool.starmap(_transfers, [(host, database, seconds)] * processes)
    print(json.dumps(done))


def _prepared(host: str, database: str) -> None:
    _configure(host, database)
    _prepare()


if __name__ == "__main__":
    main()
