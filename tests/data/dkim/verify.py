"""Checks every DKIM signature of the mails named, as receivers do, with records from a file in place of DNS.

    verify.py RECORDS.csv MAIL...

Prints a line a mail: the number of signatures and of good ones.
"""

import csv
import sys

import dkim

with open(sys.argv[1], newline="") as file:
    records = {row["name"]: row["value"].encode() for row in csv.DictReader(file)}


def txt(name, timeout=5):
    return records.get(name.decode().rstrip("."))


for path in sys.argv[2:]:
    with open(path, "rb") as file:
        mail = file.read()
    signatures = sum(1 for name, _ in dkim.rfc822_parse(mail)[0] if name.lower() == b"dkim-signature")
    good = 0
    for index in range(signatures):
        try:
            good += dkim.DKIM(mail).verify(idx=index, dnsfunc=txt)
        except dkim.DKIMException:
            pass
    print(signatures, good)
