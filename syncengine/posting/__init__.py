"""The pure core of posting: a Basware document, what SAP holds, and the SAP document that comes of both.

Nothing here knows a database, a clock or the network; the flows in `syncengine.flows` bring all of that.
"""
