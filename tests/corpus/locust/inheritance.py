from locust import HttpUser, between, task


class BaseUser(HttpUser):
    abstract = True
    wait_time = between(0.01, 0.02)

    def on_start(self):
        self.client.get("/health")

    @task(1)
    def home(self):
        self.client.get("/")


class LoginMixin:
    def login(self):
        response = self.client.post("/login", json={"username": self.name, "password": "pw"})
        self.token = response.json()["token"]


class Reader(BaseUser):
    weight = 3

    @task(4)
    def read(self):
        self.client.get("/page/read")


class Writer(LoginMixin, BaseUser):
    weight = 1
    name = "writer"

    def on_start(self):
        super().on_start()
        self.login()

    @task(2)
    def write(self):
        self.client.post("/orders", json={"by": self.name}, headers={"Authorization": "Bearer %s" % self.token})
