from locust import HttpUser, LoadTestShape, constant, task


class StagedUser(HttpUser):
    wait_time = constant(0.05)

    @task(3)
    def home(self):
        self.client.get("/")

    @task(1)
    def item(self):
        self.client.get("/items/9")


class StagesShape(LoadTestShape):
    stages = [
        {"duration": 1, "users": 2, "spawn_rate": 10},
        {"duration": 3, "users": 6, "spawn_rate": 10},
        {"duration": 4, "users": 2, "spawn_rate": 10},
    ]

    def tick(self):
        run_time = self.get_run_time()
        for stage in self.stages:
            if run_time < stage["duration"]:
                return (stage["users"], stage["spawn_rate"])
        return None
