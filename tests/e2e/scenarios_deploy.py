"""The files in deploy/: does Kubernetes accept the manifest, and does an engine build and run the image?"""

import copy
import os
import shutil
import subprocess
from pathlib import Path

from harness import Failed, Skip, clean_environment, equal, expect
from servers import nginx
from stream import read_whole

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"

OLDEST = "1.28"
"""The first Kubernetes that sets the pod labels that the manifest and deploy/README.md use."""


def spoiled(manifest):
    """Variants of the manifest, each with one mistake, and its description."""

    def changed(what, change):
        other = copy.deepcopy(manifest)
        change(other["spec"], other["spec"]["template"]["spec"])
        return what, other

    yield changed("a misspelt key", lambda job, _: job.update(paralelism=job.pop("parallelism")))
    yield changed("a number as text", lambda job, _: job.update(completions="4"))
    yield changed("args as one text", lambda _, pod: pod["containers"][0].update(args="run /"))
    yield changed("a container without a name", lambda _, pod: pod["containers"][0].pop("name"))
    yield changed("no template", lambda job, _: job.pop("template"))
    yield changed("a key in the wrong place", lambda job, pod: job.update(restartPolicy=pod.pop("restartPolicy")))


def the_kubernetes_manifest_is_valid(bench):
    """The Indexed Job is valid by Kubernetes' own schema of the oldest supported and the newest known version; with mistakes it is not."""
    try:
        import kubernetes_validate
        import yaml
    except ImportError:
        raise Skip("the Python package kubernetes-validate is not installed") from None
    versions = (OLDEST, kubernetes_validate.latest_version())
    manifest = yaml.safe_load((DEPLOY / "kubernetes-job.yaml").read_text())
    numbers = {manifest["spec"][key] for key in ("completions", "parallelism")}
    shards = [word for word in manifest["spec"]["template"]["spec"]["containers"][0]["args"] if word.startswith("--shard")]
    equal(shards, [f"--shard=auto/{number}" for number in numbers], "--shard, by completions and parallelism")
    refused = 0
    for version in versions:
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.ValidationError as why:
            raise Failed(f"Kubernetes {version} refuses the manifest: {why.message}") from None
        for what, other in spoiled(manifest):
            try:
                kubernetes_validate.validate(other, version, strict=True)
            except kubernetes_validate.ValidationError:
                refused += 1
                continue
            raise Failed(f"{what} is not refused by the schema of Kubernetes {version}")
    return f"valid for Kubernetes {' and '.join(versions)}, {refused} spoiled ones refused"


def the_image_is_built_and_run(bench):
    """buildah makes the image from the static binary alone, without pulling; its user is `nobody`, and it counts what nginx counts."""
    if not shutil.which("buildah"):
        raise Skip("buildah is not installed")
    if os.geteuid() != 0:
        raise Skip("buildah without an image store of the system's needs root")
    if not bench.static_binary.exists():
        raise Skip(f"no static binary at {bench.static_binary}, see make static")
    shutil.copy(bench.static_binary, bench.dir / "swarmline")
    store = ["buildah", "--root", bench.dir / "store", "--runroot", bench.dir / "runroot", "--storage-driver", "vfs"]

    def buildah(*words):
        command = [str(word) for word in (*store, *words)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, cwd=bench.dir,
                              env={**clean_environment(), "BUILDAH_ISOLATION": "chroot"})
        expect(done.returncode == 0, f"buildah {words[0]} ended with {done.returncode}: {done.stderr.decode()[-600:]}")
        return done.stdout

    buildah("build", "-f", DEPLOY / "Containerfile", "--build-arg", "BINARY=swarmline", "-t", "swarmline:e2e", ".")
    container = buildah("from", "--pull-never", "swarmline:e2e").decode().strip()
    try:
        config = buildah("inspect", "--format", "{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}}", container).decode()
        equal(config.strip(), "65534:65534 [/swarmline]", "user and entry point of the image")
        root = Path(buildah("mount", container).decode().strip())
        own = [path.name for path in root.iterdir() if path.is_file()]
        equal(own, ["swarmline"], "files of the image")
        with nginx(bench.dir / "nginx") as server:
            run = ["/swarmline", "run", "-q", "-n", "100", f"{server.url}/ok"]
            stream = read_whole(buildah("run", "--network", "host", container, "--", *run))
            equal((len(server.log()), stream.end["ok"]), (100, 100), "requests that nginx saw, ok of the stream")
    finally:
        buildah("rm", container)
    return f"{(bench.dir / 'swarmline').stat().st_size / 1e6:.1f} MB in one file, user 65534, 100 requests, nginx 100"


SCENARIOS = [
    the_kubernetes_manifest_is_valid,
    the_image_is_built_and_run,
]
