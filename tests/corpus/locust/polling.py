import time

from locust import HttpUser, constant, task


class JobUser(HttpUser):
    wait_time = constant(0.01)

    @task
    def run_job(self):
        response = self.client.post("/jobs", json={"kind": "export"})
        job_id = response.json()["job_id"]
        for _ in range(10):
            state = self.client.get(f"/jobs/{job_id}", name="/jobs/[id]").json()["status"]
            if state == "done":
                break
            time.sleep(0.01)
        self.client.get("/page/result")
