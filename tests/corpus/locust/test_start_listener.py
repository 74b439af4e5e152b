"""Listeners are Python that runs beside the load; what they print is no load."""
import logging

from locust import HttpUser, between, events, task


@events.test_start.add_listener
def on_test_start(environment, **kwargs):
    logging.info("the test begins")


@events.test_stop.add_listener
def on_test_stop(environment, **kwargs):
    print("the test is over")


class ListenedUser(HttpUser):
    wait_time = between(0.01, 0.02)

    @task(3)
    def home(self):
        self.client.get("/")

    @task(1)
    def item(self):
        self.client.get("/items/11")
