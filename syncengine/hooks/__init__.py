"""Telling customers' own tools: events go out as signed webhooks (https://www.standardwebhooks.com).

Each message is a row first, written in the transaction of what it tells of; workers send it from there, at least once.
"""
