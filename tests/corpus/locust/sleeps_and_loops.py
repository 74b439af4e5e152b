import random
import time

from locust import HttpUser, constant, task


class LoopUser(HttpUser):
    wait_time = constant(0.01)

    @task(2)
    def read_pages(self):
        for page in range(1, 4):
            self.client.get(f"/items?page={page}", name="/items?page=N")
            time.sleep(0.01)

    @task(1)
    def fixed_list(self):
        for colour in ["red", "blue"]:
            self.client.get("/search", params={"color": colour}, name="/search by colour")

    @task(1)
    def by_chance(self):
        self.client.get("/")
        if random.random() < 0.5:
            self.client.get("/page/half")
