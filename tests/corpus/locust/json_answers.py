import random

from locust import HttpUser, between, task


class JsonUser(HttpUser):
    wait_time = between(0.01, 0.02)

    @task(2)
    def first_of_list(self):
        items = self.client.get("/items").json()
        self.client.get(f"/items/{items[0]['id']}", name="/items/[first]")

    @task(2)
    def nested(self):
        response = self.client.get("/items/12")
        owner = response.json().get("owner", {}).get("id")
        colour = response.json()["color"]
        self.client.post("/echo/owner", json={"owner": owner, "color": colour})

    @task(2)
    def random_of_list(self):
        response = self.client.get("/items?page=3", name="/items?page")
        if response.status_code == 200:
            items = response.json()["items"]
            if items:
                item = random.choice(items)
                self.client.get(f"/items/{item['id']}", name="/items/[random]")
