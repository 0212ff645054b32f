"""What is measured against: the same rows with plain tools. Prints one JSON object.

    reference.py import DIRECTORY.csv DATABASE     the standard library's sqlite3, executemany, 10,000 rows a commit, FULL
    reference.py walk DIRECTORY.csv EXPECTED.csv   a dict in memory, the suffixes of each host from the longest

Normalises nothing, keeps no history, knows no public suffix; `walk` checks that it finds the expected tenant.
"""

import csv
import json
import resource
import sqlite3
import sys
import time
from itertools import islice


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        next(reader)
        yield from reader


def bulk(path, database):
    begun = time.monotonic()
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE tenants (id TEXT PRIMARY KEY, name TEXT, country TEXT, language TEXT) WITHOUT ROWID")
    connection.execute("CREATE TABLE domains (domain TEXT, tenant_id TEXT, PRIMARY KEY (domain, tenant_id)) WITHOUT ROWID")
    count, reader = 0, rows(path)
    while part := list(islice(reader, 10_000)):
        connection.execute("BEGIN")
        connection.executemany("INSERT OR REPLACE INTO tenants VALUES (?, ?, ?, ?)", [row[1:] for row in part])
        connection.executemany("INSERT OR REPLACE INTO domains VALUES (?, ?)", [row[:2] for row in part])
        connection.execute("COMMIT")
        count += len(part)
    connection.close()
    return {"seconds": time.monotonic() - begun, "rows": count}


def walk(path, expected):
    begun = time.monotonic()
    owners = {}
    for domain, tenant, *_ in rows(path):
        owners[domain if domain.isascii() else domain.encode("idna").decode()] = tenant
    loaded = time.monotonic()
    wrong = hosts = 0
    for host, tenant in rows(expected):
        hosts += 1
        name, found = host, ""
        while name:
            if name in owners:
                found = owners[name]
                break
            _, _, name = name.partition(".")
        wrong += found != tenant
    return {"load_seconds": loaded - begun, "seconds": time.monotonic() - loaded, "hosts": hosts, "wrong": wrong}


def main():
    result = {"import": bulk, "walk": walk}[sys.argv[1]](sys.argv[2], sys.argv[3])
    result["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(result))


if __name__ == "__main__":
    main()
