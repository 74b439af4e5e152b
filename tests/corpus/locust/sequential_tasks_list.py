from locust import HttpUser, SequentialTaskSet, constant


def open_page(l):
    l.client.get("/page/open")


def read_page(l):
    l.client.get("/page/read")


class Reading(SequentialTaskSet):
    tasks = [open_page, read_page, read_page]


class Reader(HttpUser):
    wait_time = constant(0.01)
    tasks = [Reading]
