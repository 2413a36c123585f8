class ServiceError(Exception):
    status = 500

    def __init__(self, message, detail=None):
        super().__init__(message)
        self.detail = detail


class BadReading(ServiceError):
    status = 422

    def __init__(self, field, value):
        super().__init__(f"{field} is out of range", {"field": field, "value": value})
        self.field = field
