"""FastHttpUser's rest(): a request whose JSON answer is looked at."""
from locust import FastHttpUser, constant, task


class RestUser(FastHttpUser):
    wait_time = constant(0.01)

    @task(3)
    def read(self):
        with self.rest("GET", "/items/4") as resp:
            if resp.js["id"] != 4:
                resp.failure("another item")

    @task(1)
    def write(self):
        with self.rest("POST", "/items", json={"name": "desk"}) as resp:
            if resp.js is None:
                pass
