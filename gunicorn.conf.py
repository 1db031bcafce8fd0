"""gunicorn's settings: `gunicorn portal.wsgi` reads this file from the checkout.

Never one synchronous worker: subscribing at Basware waits for a call back to ourselves.
"""

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
