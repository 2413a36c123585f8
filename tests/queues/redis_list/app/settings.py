import os

REDIS_HOST = os.environ.get("REDIS_HOST", "localhost")
REDIS_PORT = int(os.environ.get("REDIS_PORT", "6379"))
REDIS_DB = 0

IMAGE_WIDTH = 16
IMAGE_HEIGHT = 16
IMAGE_DTYPE = "float32"

IMAGE_QUEUE = "image_queue"
BATCH_SIZE = 32
SERVER_SLEEP = 0.05
CLIENT_SLEEP = 0.05
LABELS = ["zero", "one", "two", "three"]
