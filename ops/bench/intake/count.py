"""The reference: DuckDB counts distinct objects, addresses, users and projects per domain of a manifest.

It normalises nothing beyond lower case and white space, keeps nothing, and is told of two threads. Prints seconds, peak
memory in bytes and rows, as JSON.
"""

import json
import resource
import sys
import time

import duckdb

connection = duckdb.connect()
connection.execute("SET threads = 2")
begun = time.monotonic()
rows = connection.execute(
    """
    SELECT count(*), sum(objects), sum(emails), sum(users), sum(projects), sum(n)
    FROM (
        SELECT lower(trim(domain)) AS domain, count(*) AS n, count(DISTINCT object_path) AS objects,
            count(DISTINCT lower(email)) AS emails, count(DISTINCT user_id) AS users,
            count(DISTINCT project_id) AS projects
        FROM read_csv(?, header = true, all_varchar = true, ignore_errors = true, null_padding = true,
            delim = ',', quote = '"', escape = '"', strict_mode = false)
        GROUP BY 1
    )
    """,
    [sys.argv[1]],
).fetchone()
seconds = time.monotonic() - begun
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"seconds": seconds, "peak_bytes": peak, "rows": int(rows[5])}))
