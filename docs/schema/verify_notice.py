"""Checks a notice in its machine-readable form: signature, form and schema, by other people's programs.

    pip install jwcrypto jsonschema
    python3 verify_notice.py NOTICE.json KEYS.json SCHEMA.json

NOTICE.json is what `forthright notice export` prints, KEYS.json what the vendor publishes under
/.well-known/jwks.json, SCHEMA.json is notice-1.json. Prints the notice code; exit 1 says what is wrong.
"""

import json
import sys

from jsonschema import Draft202012Validator
from jwcrypto import jwk, jws


def main(notice_file, keys_file, schema_file):
    with open(notice_file) as notice, open(keys_file) as keys, open(schema_file) as schema:
        exported, keys, schema = json.load(notice), keys.read(), json.load(schema)
    token = jws.JWS()
    token.deserialize(exported["jws"])
    key = jwk.JWKSet.from_json(keys).get_key(token.jose_header["kid"])
    if key is None:
        sys.exit("the vendor publishes no such key")
    token.verify(key, alg="EdDSA")
    signed = json.loads(token.payload)
    if signed != exported["notice"]:
        sys.exit("what is shown is not what is signed")
    # RFC 8785, as far as whole numbers and ASCII keys go.
    one_form = json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if one_form.encode() != token.payload:
        sys.exit("what is signed is not in its one form")
    Draft202012Validator(schema).validate(signed)
    print(signed["notice"]["code"])


if __name__ == "__main__":
    main(*sys.argv[1:])
