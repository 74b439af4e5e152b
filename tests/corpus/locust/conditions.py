import random

from locust import HttpUser, constant, task


class DecidingUser(HttpUser):
    wait_time = constant(0.01)

    @task(3)
    def stock(self):
        number = random.randint(1, 20)
        item = self.client.get(f"/items/{number}", name="/items/[n]").json()
        if item["stock"] == 0 and item["color"] != "green":
            self.client.get("/page/sold-out")
        elif item["stock"] > 4 or item["color"] == "red":
            self.client.get("/page/plenty")
        else:
            self.client.get("/page/some")

    @task(1)
    def coin(self):
        if random.random() < 0.25:
            self.client.get("/page/quarter")
        else:
            self.client.get("/page/three-quarters")

    @task(1)
    def membership(self):
        colour = self.client.get("/items/7").json()["color"]
        if colour in ("red", "green"):
            self.client.get("/page/warm")
        if not colour.startswith("b"):
            self.client.get("/page/not-b")
