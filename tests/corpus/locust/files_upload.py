from locust import HttpUser, constant, task


class Uploader(HttpUser):
    wait_time = constant(0.01)

    @task(2)
    def upload(self):
        files = {"file": ("notes.txt", b"hello from a load test", "text/plain")}
        self.client.post("/upload", files=files, data={"title": "Notes"})

    @task(1)
    def upload_from_disk(self):
        with open("sample.csv", "rb") as f:
            self.client.post("/upload", files={"table": f}, name="/upload (disk)")
