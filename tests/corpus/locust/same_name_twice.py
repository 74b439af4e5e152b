"""Two methods of one name: the last one is the method."""
from locust import HttpUser, constant, task


class Twice(HttpUser):
    wait_time = constant(0.01)

    @task(5)
    def get_page(self):
        self.client.get("/page/first")

    @task(1)
    def get_page(self):  # noqa: F811
        self.client.get("/page/second")

    @task(1)
    def other(self):
        self.client.get("/page/other")
