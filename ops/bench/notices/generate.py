"""Organisations with a contact each, and a manifest that names all of them, the same for the same seed.

    generate.py FOLDER SEED ORGANISATIONS

One domain an organisation, one in ten has two; a security contact each, one in ten has a second one in another language;
languages as in the field (three in five English). Eight references an organisation on average, of two to six objects and
up to six data types, so that a notice has the shape of the real ones.
"""

import csv
import random
import sys
from pathlib import Path

LANGUAGES = {"en": 60, "de": 14, "fr": 10, "es": 8, "ja": 8}
TYPES = ("poe_document sow_document invoice product_order product_offer project_details signed_customer_document poc_work "
         "customer_email price_list stock_list internal_comment sales_strategy customer_asset_document").split()
SYLLABLES = "ba be bi bo bu da de di do ka ke ki ko la le li lo ma me mi mo na ne no pa pe po ra re ri ro sa se si so ta te ti to".split()


def main():
    folder, seed, organisations = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    random_ = random.Random(seed)
    languages, weights = list(LANGUAGES), list(LANGUAGES.values())
    open_ = lambda name: open(folder / name, "w", newline="", encoding="utf-8")
    with open_("directory.csv") as directory, open_("contacts.csv") as contacts, open_("manifest.csv") as manifest:
        tenants, people, rows = (csv.writer(file, lineterminator="\n") for file in (directory, contacts, manifest))
        tenants.writerow("domain,tenant_id,tenant_name,country,language".split(","))
        people.writerow("tenant_id,role,name,email,language".split(","))
        rows.writerow("object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id".split(","))
        for n in range(organisations):
            name = "".join(random_.choices(SYLLABLES, k=3)) + f"{n:x}"
            spoken = random_.choices(languages, weights, k=2)
            domains = [f"{name}.com"] + ([f"{name}-group.com"] if n % 10 == 3 else [])
            for domain in domains:
                tenants.writerow([domain, f"t-{n:06}", f"{name.capitalize()} Ltd.", "US", spoken[0]])
            people.writerow([f"t-{n:06}", "security", f"Security of {name}", f"security@{domains[0]}", spoken[0]])
            if n % 10 == 7:
                people.writerow([f"t-{n:06}", "privacy", f"Privacy of {name}", f"privacy@{domains[0]}", spoken[1]])
            for _ in range(random_.randint(4, 12)):
                thing, person = random_.randint(1, 6), random_.randint(1, 4)
                rows.writerow([
                    f"share/{n % 97}/{name}/{thing}.pdf", random_.choice(domains), f"p{person}@{domains[0]}",
                    TYPES[(n + thing) % len(TYPES)], f"20{17 + thing % 6}-0{1 + thing % 9}-1{person}",
                    1000 * thing + n % 1000, f"prj-{n}-{person % 3}", f"usr-{n}-{person}",
                ])


if __name__ == "__main__":
    main()
