"""Rejections in SAP's words (contracts: SAP §3.3)."""

from __future__ import annotations

SESSION_LOST = "Invalid session or session already timeout."
LOGIN_REFUSED = "Fail to NONE-SSO login from SLD."
BASE_CLOSED = "One of the base documents has already been closed"


class ServiceLayerError(Exception):
    """Answered as an error body with this code, text and HTTP status."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


def session_lost() -> ServiceLayerError:
    return ServiceLayerError(301, SESSION_LOST, 401)


def query_error(message: str) -> ServiceLayerError:
    return ServiceLayerError(201, message)


def payload_error(message: str) -> ServiceLayerError:
    return ServiceLayerError(-1000, message)


def business_error(message: str) -> ServiceLayerError:
    return ServiceLayerError(-5002, message)


def not_found() -> ServiceLayerError:
    return ServiceLayerError(-2028, "No matching records found (ODBC -2028)", 404)


def does_not_exist(key: object) -> ServiceLayerError:
    return ServiceLayerError(-2028, f"Entity with value('{key}') does not exist", 404)


def conflict() -> ServiceLayerError:
    text = "Another user or another operation modified data; to continue, open the window again (ODBC -2039)"
    return ServiceLayerError(-2039, text, 412)
