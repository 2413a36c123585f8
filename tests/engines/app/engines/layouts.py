import json


class Layout:
    def __init__(self, folder):
        self.folder = folder

    def write(self, lines, file):
        raise NotImplementedError


class Text(Layout):
    def write(self, lines, file):
        for line in lines:
            print(*line, file=file)


class Json(Layout):
    def write(self, lines, file):
        json.dump(lines, file)
