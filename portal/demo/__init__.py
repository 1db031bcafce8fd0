"""The demo: the whole product as processes, driven through its public API (`manage.py demo`).

    ports.py         free ports, the usual ones first
    jsonclient.py    JSON over HTTP to our own processes
    processes.py     child processes that go when we go
    installation.py  sandboxes, web and worker as one thing that starts and stops
    database.py      which database the demo may clear
    account.py       the demo's organization, owner and key
    story.py         connect, run, pay, run again
    checks.py        what must be true afterwards
    report.py        what is printed

The end-to-end tests stand on the same modules.
"""
