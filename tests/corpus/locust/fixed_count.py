from locust import HttpUser, constant, task


class Admin(HttpUser):
    fixed_count = 1
    wait_time = constant(0.02)

    @task
    def report(self):
        self.client.get("/page/report")


class Crowd(HttpUser):
    weight = 1
    wait_time = constant(0.02)

    @task
    def home(self):
        self.client.get("/")
