from locust import HttpUser, constant, task


class CountingUser(HttpUser):
    wait_time = constant(0.01)

    def on_start(self):
        self.rounds = 0
        self.seen = {}

    @task
    def work(self):
        self.rounds += 1
        self.client.get("/page/work")
        if self.rounds % 5 == 0:
            self.client.get("/page/fifth")
        if self.rounds > 3:
            self.client.get("/page/later")
