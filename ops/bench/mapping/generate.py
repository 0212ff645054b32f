"""A directory of any size and a manifest that names some of it, the same for the same seed.

    generate.py FOLDER SEED DOMAINS AFFECTED

Seven tenants for ten domains, top-level domains as they are in the field, one name in seventy with letters beyond
ASCII. Of the affected domains four fifths stand in the directory; each has one to three hosts, most with a name below
the domain. `expected.csv` says whose each host is.
"""

import csv
import random
import sys
from pathlib import Path

SUFFIXES = {
    "com": 44, "de": 7, "co.uk": 6, "net": 4, "org": 4, "nl": 3, "fr": 3, "com.br": 3, "it": 2.5, "ru": 2, "pl": 2,
    "com.au": 2, "ca": 2, "co.jp": 1.5, "jp": 1.5, "in": 1.5, "eu": 1.5, "ch": 1.5, "es": 1.5, "io": 1.5, "se": 1,
    "us": 1, "info": 1, "com.cn": 1, "co.za": 0.7, "xn--p1ai": 0.5, "ac.uk": 0.3, "gov.uk": 0.1, "github.io": 0.2,
}
SYLLABLES = "ba be bi bo bu da de di do ka ke ki ko la le li lo ma me mi mo na ne no pa pe po ra re ri ro sa se si so ta te ti to va ve vi vo za zo".split()
BEYOND = "äöüéèåøñç"
COUNTRIES = [("US", "en"), ("GB", "en"), ("DE", "de"), ("FR", "fr"), ("NL", "nl"), ("BR", "pt"), ("JP", "ja"), ("IN", "en")]
BELOW = ["", "www.", "mail.", "vpn.", "portal.eu.", "a.b.c."]


def names(random_, count):
    """Different domains, as a directory writes them."""
    suffixes, weights = list(SUFFIXES), list(SUFFIXES.values())
    chosen = random_.choices(suffixes, weights, k=count)
    for n, suffix in enumerate(chosen):
        # The number makes it unique, the syllables come first so that neighbours in the file are none in the alphabet.
        label = "".join(random_.choices(SYLLABLES, k=random_.randint(2, 4)))
        if random_.random() < 1 / 70:
            label += random_.choice(BEYOND)
        yield f"{label}{n:x}.{suffix}"


def ascii_form(domain):
    return domain if domain.isascii() else domain.encode("idna").decode()


def main():
    folder, seed, domains, affected = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    folder.mkdir(parents=True, exist_ok=True)
    random_ = random.Random(seed)
    tenants = max(1, domains * 7 // 10)
    inside = affected * 4 // 5
    all_names = list(names(random_, domains + affected - inside))
    owners = [n if n < tenants else random_.randrange(tenants) for n in range(domains)]
    with open(folder / "directory.csv", "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["domain", "tenant_id", "tenant_name", "country", "language"])
        for name, owner in zip(all_names, owners):
            country, language = COUNTRIES[owner % len(COUNTRIES)]
            out.writerow([name, f"t-{owner:07}", f"Organisation {owner}, Ltd.", country, language])
    picked = random_.sample(range(domains), inside) + list(range(domains, domains + affected - inside))
    random_.shuffle(picked)
    with (
        open(folder / "manifest.csv", "w", newline="", encoding="utf-8") as manifest,
        open(folder / "expected.csv", "w", newline="", encoding="utf-8") as expected,
    ):
        rows, says = csv.writer(manifest, lineterminator="\n"), csv.writer(expected, lineterminator="\n")
        rows.writerow("object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id".split(","))
        says.writerow(["host", "tenant_id"])
        for number, at in enumerate(picked):
            for below in random_.sample(BELOW, random_.randint(1, 3)):
                host = below + all_names[at]
                rows.writerow([f"box/{number}.pdf", host, "", "invoice", "2021-03-04", 1000, f"prj-{number}", f"usr-{number}"])
                says.writerow([ascii_form(host), f"t-{owners[at]:07}" if at < domains else ""])


if __name__ == "__main__":
    main()
