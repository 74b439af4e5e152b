from locust import HttpUser, constant, task


class Unlucky(HttpUser):
    wait_time = constant(0.01)

    @task(2)
    def missing(self):
        self.client.get("/status/404")

    @task(1)
    def broken(self):
        self.client.post("/status/503", json={})

    @task(2)
    def sometimes(self):
        self.client.get("/flaky/a")

    @task(5)
    def fine(self):
        self.client.get("/health")
