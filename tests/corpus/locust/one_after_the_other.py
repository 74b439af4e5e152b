"""Accounts that are dealt out by a counter of the class; a user that has done its work stops."""
import itertools

from locust import HttpUser, constant, task
from locust.exception import StopUser

NUMBERS = itertools.count(1)


class NumberedUser(HttpUser):
    wait_time = constant(0.01)

    def on_start(self):
        self.number = next(NUMBERS)
        self.client.post("/echo/hello", json={"name": f"n_{self.number}"})
        self.done = 0

    @task
    def work(self):
        self.client.get("/page/work")
        self.done += 1
        if self.done >= 20:
            raise StopUser()
