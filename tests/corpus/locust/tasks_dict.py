from locust import HttpUser, TaskSet, between


def index(l):
    l.client.get("/")


def stats(l):
    l.client.get("/page/stats")


def profile(l):
    l.client.get("/me", headers={"Authorization": "Token tok-dave"})


class UserBehavior(TaskSet):
    tasks = {index: 2, stats: 1, profile: 5}

    def on_start(self):
        self.client.post("/login", {"username": "dave", "password": "education"})

    def on_stop(self):
        self.client.post("/logout", {"username": "dave"})


class WebsiteUser(HttpUser):
    tasks = [UserBehavior]
    wait_time = between(0.01, 0.02)
