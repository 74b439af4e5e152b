"""An exception in a task ends the task; it is no failed request."""
from locust import HttpUser, between, task


class Sloppy(HttpUser):
    wait_time = between(0.01, 0.02)

    @task(2)
    def missing_key(self):
        response = self.client.get("/empty")
        token = response.json()["token"]
        self.client.get("/page/never", headers={"Authorization": token})

    @task(1)
    def wrong_assertion(self):
        response = self.client.get("/status/418", name="/status/418")
        assert response.status_code == 200
        self.client.get("/page/never-either")

    @task(1)
    def good_assertion(self):
        response = self.client.get("/items/6")
        assert response.status_code == 200, "item 6"
        self.client.get("/page/after-assert")

    @task(1)
    def index_error(self):
        items = self.client.get("/empty", name="/empty (list)").json()["items"]
        first = items[0]
        self.client.get(f"/items/{first}")
