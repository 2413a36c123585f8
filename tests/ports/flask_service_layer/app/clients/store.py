from dataclasses import asdict, dataclass

from .service import ServiceError

KNOWN = [
    {"id": 1, "name": "Ada", "months": 50, "tickets": 0, "fee": 30.0},
    {"id": 2, "name": "Bjørn", "months": 2, "tickets": 7, "fee": 12.5},
]


class NotFound(ServiceError):
    status = 404
    code = "not_found"


@dataclass
class Client:
    id: int
    name: str
    months: int
    tickets: int
    fee: float

    def features(self):
        values = asdict(self)
        del values["id"], values["name"]
        return values


class ClientStore:
    def __init__(self):
        self._clients = {}

    def init_app(self, app):
        self._clients = {c["id"]: Client(**c) for c in KNOWN}

    def get(self, client_id):
        try:
            return self._clients[client_id]
        except KeyError:
            raise NotFound(f"no client {client_id}") from None

    def all(self):
        return list(self._clients.values())
