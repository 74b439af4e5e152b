import random

from locust import HttpUser, between, task


class GroupingUser(HttpUser):
    wait_time = between(0.01, 0.02)

    @task(2)
    def item(self):
        for item_id in range(1, 4):
            self.client.get("/items/%i" % item_id, name="/items/[id]")

    @task(2)
    def grouped(self):
        with self.client.rename_request("/page/[name]"):
            self.client.get("/page/a")
            self.client.get("/page/b")

    @task(1)
    def not_grouped(self):
        self.client.get(f"/items/{random.randint(1, 3)}")
