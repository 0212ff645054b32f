"""Checks calls on standard input (JSON: a list of {headers, body}) with a secret, by the specification's own library.

Prints "good" or the reason, a line each."""

import json
import sys

from standardwebhooks.webhooks import Webhook

webhook = Webhook(sys.argv[1])
for call in json.load(sys.stdin):
    try:
        webhook.verify(call["body"], call["headers"])
        print("good")
    except Exception as error:
        print(type(error).__name__, error)
