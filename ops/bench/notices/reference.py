"""What is measured against: letters of the same size into SQLite with plain tools, nothing rendered. One JSON object.

    reference.py STORE.db DATABASE

Reads notices and letters out of a store that was drafted, and writes them into a fresh database with the standard
library's `sqlite3`: the same two tables and keys, `executemany`, 500 notices a commit, WAL, `synchronous=FULL`. Reading
is not counted. Then 2,000 commits of one row each, for the rate of durable commits.
"""

import json
import sqlite3
import sys
import time


def main():
    store, database = sys.argv[1:3]
    source = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    notices = source.execute(
        "SELECT id, tenant_id, kind, version, state, code, facts, facts_digest, template_version, elements FROM notices ORDER BY id").fetchall()
    letters = {}
    for row in source.execute("SELECT notice_id, id, language, subject, text, html, digest FROM letters WHERE notice_id IS NOT NULL"):
        letters.setdefault(row[0], []).append(row)
    out = sqlite3.connect(database, isolation_level=None)
    out.execute("PRAGMA journal_mode = WAL")
    out.execute("PRAGMA synchronous = FULL")
    out.execute("CREATE TABLE notices (id TEXT PRIMARY KEY, tenant_id TEXT, kind TEXT, version INTEGER, state TEXT, code TEXT UNIQUE, "
                "facts TEXT, facts_digest TEXT, template_version TEXT, elements TEXT, UNIQUE (tenant_id, version)) STRICT")
    out.execute("CREATE TABLE letters (notice_id TEXT, id TEXT PRIMARY KEY, language TEXT, subject TEXT, text TEXT, html TEXT, digest TEXT, "
                "UNIQUE (notice_id, language)) STRICT")
    begun = time.monotonic()
    for at in range(0, len(notices), 500):
        part = notices[at:at + 500]
        out.execute("BEGIN IMMEDIATE")
        out.executemany("INSERT INTO notices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", part)
        out.executemany("INSERT INTO letters VALUES (?, ?, ?, ?, ?, ?, ?)", [letter for row in part for letter in letters[row[0]]])
        out.execute("COMMIT")
    seconds = time.monotonic() - begun
    out.execute("CREATE TABLE one (n INTEGER) STRICT")
    begun = time.monotonic()
    for n in range(2_000):
        out.execute("INSERT INTO one VALUES (?)", (n,))
    single = time.monotonic() - begun
    letters = [row for rows in letters.values() for row in rows]
    size = sum(len(part.encode()) for row in letters for part in row[3:6])
    print(json.dumps({"seconds": seconds, "notices": len(notices), "letters": len(letters), "bytes": size, "single": 2_000 / single}))


if __name__ == "__main__":
    main()
