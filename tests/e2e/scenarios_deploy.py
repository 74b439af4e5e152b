"""What stands in deploy/: does Kubernetes take the manifest, and does an engine build and run the image?"""

import copy
from pathlib import Path

from harness import Failed, Skip, equal

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"

OLDEST = "1.28"
"""The first Kubernetes that gives pods the labels that the manifest and deploy/README.md use."""


def spoiled(manifest):
    """The manifest with one thing wrong, and what it is."""

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
    """The Indexed Job is valid by Kubernetes' own schema, of the oldest version meant and the newest known; spoiled, not."""
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


SCENARIOS = [
    the_kubernetes_manifest_is_valid,
]
