"""gunicorn's settings: `gunicorn portal.wsgi` reads this file from the checkout.

Never one synchronous worker: subscribing at Basware waits for a call back to ourselves.
"""

import os
import shutil
import tempfile

# Before the application is loaded: what /metrics tells of requests is added up over the processes through files here.
_METRICS = os.environ.get("PROMETHEUS_MULTIPROC_DIR") or tempfile.mkdtemp(prefix="ledgerbridge-metrics-")
os.makedirs(_METRICS, exist_ok=True)  # one that is given may have gone with the web before this one
os.environ["PROMETHEUS_MULTIPROC_DIR"] = _METRICS

worker_class = "gthread"
workers = 2
threads = 4
timeout = 120
graceful_timeout = 30
keepalive = 5
# Logs go to standard error; requests are logged by the application, with their request id.
errorlog = "-"
accesslog = None
# Several portals on one machine would share one control socket in the home folder.
control_socket_disable = True


def child_exit(server, worker):  # noqa: ANN001, ANN201  # gunicorn calls it
    """Gauges of a process that is gone no longer count."""
    from prometheus_client import multiprocess  # decides at its import where numbers are kept

    multiprocess.mark_process_dead(worker.pid)


def on_exit(server):  # noqa: ANN001, ANN201  # gunicorn calls it
    """Take the files along, unless a newer master (USR2) goes on with them."""
    if not server.reexec_pid:
        shutil.rmtree(_METRICS, ignore_errors=True)
