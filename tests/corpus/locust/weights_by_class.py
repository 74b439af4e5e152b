"""Two kinds of users by weight, a wait of a TaskSet, tasks that are TaskSets beside functions."""
from locust import HttpUser, TaskSet, constant, task


class Mobile(HttpUser):
    weight = 3
    wait_time = constant(0.02)

    def on_start(self):
        self.client.headers.update({"User-Agent": "shop-app/2.0 (Android)"})

    @task
    def feed(self):
        self.client.get("/page/feed")


class DesktopTasks(TaskSet):
    wait_time = constant(0.02)

    @task(1)
    def home(self):
        self.client.get("/")

    @task(1)
    def cart(self):
        self.client.post("/cart", data={"item": "1"})


class Desktop(HttpUser):
    weight = 1
    wait_time = constant(5)
    tasks = [DesktopTasks]
