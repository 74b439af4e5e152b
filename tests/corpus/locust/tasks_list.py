"""Functions as tasks; an element that stands twice is twice as likely."""
from locust import HttpUser, between


def index(user):
    user.client.get("/")


def search(user):
    user.client.get("/search", params={"q": "chair", "sort": "price"})


def health(user):
    user.client.get("/health")


class ListUser(HttpUser):
    wait_time = between(0.01, 0.02)
    tasks = [index, search, search, search, health]
