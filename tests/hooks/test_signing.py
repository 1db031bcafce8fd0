"""Signatures of Standard Webhooks, against the specification's own example."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from syncengine.hooks import signing

# The example of the specification's reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
MESSAGE, MOMENT = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_example_of_the_specification_is_signed_as_it_says():
    assert signing.signature(SECRET, MESSAGE, MOMENT, BODY) == SIGNED


def test_a_secret_has_the_prefix_and_enough_random_bytes():
    one, another = signing.new_secret(), signing.new_secret()
    assert one != another
    assert one.startswith("whsec_")
    assert 24 <= len(base64.b64decode(one.removeprefix("whsec_"))) <= 64


def test_while_two_secrets_are_good_both_sign():
    now = datetime.fromtimestamp(MOMENT, UTC)
    sent = signing.headers([SECRET, signing.new_secret()], MESSAGE, now, BODY)
    assert sent["webhook-id"] == MESSAGE
    assert sent["webhook-timestamp"] == str(MOMENT)
    first, second = sent["webhook-signature"].split(" ")
    assert first == SIGNED
    assert second.startswith("v1,")
