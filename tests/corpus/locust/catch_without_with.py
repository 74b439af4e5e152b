"""catch_response=True without `with`: Locust waits for a verdict that never comes, and counts nothing."""
from locust import HttpUser, constant, task


class Careless(HttpUser):
    wait_time = constant(0.01)

    @task(2)
    def counted(self):
        self.client.get("/page/counted")

    @task(1)
    def not_counted(self):
        self.client.get("/page/not-counted", catch_response=True)

    @task(1)
    def failing_but_not_counted(self):
        response = self.client.get("/status/500", catch_response=True)
        if response.status_code != 200:
            return
