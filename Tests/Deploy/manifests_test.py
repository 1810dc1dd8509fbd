"""Renders many plans and holds the files against what is not ours: Kubernetes' strict schemas, the names of LeaderWorkerSet's
and compose's fields, kubectl kustomize. Run by run.sh."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import kubernetes_validate
import yaml

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
BINARY = sys.argv[1]
PLANS = sorted((pathlib.Path(__file__).parent.parent / "Fixtures" / "plans").glob("*.json"))
IMAGE = "registry.example/cserve@sha256:" + "0123456789abcdef" * 4
COMMIT = "0e9e39f249a16976918f6564b8830bc894c89659"
# The oldest version that the manifests need (preStop.sleep), and the newest that the package has.
VERSIONS = ["1.30.0", "1.37.0"]
# Kinds of others: no schema in the package; their top-level fields, from their CRDs.
FOREIGN = {
    "LeaderWorkerSet": {"replicas", "leaderWorkerTemplate", "rolloutStrategy", "startupPolicy", "networkConfig"},
    "ServiceMonitor": {"selector", "endpoints"},
    "PrometheusRule": {"groups"},
    "ScaledObject": {
        "scaleTargetRef", "minReplicaCount", "maxReplicaCount", "pollingInterval", "cooldownPeriod", "fallback", "advanced",
        "triggers",
    },
}


def check(condition, message):
    if not condition:
        raise SystemExit("FAILED: " + message)


def render(plan, folder, *flags):
    command = [BINARY, "deploy", "render", str(plan), "-o", str(folder), "--model", "o/m@" + COMMIT, "--fetch-image", IMAGE]
    done = subprocess.run([*command, *flags], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def pods(document):
    """Pod templates of a LeaderWorkerSet, as Deployments that the schemas know."""
    for part in ("leaderTemplate", "workerTemplate"):
        template = document["spec"]["leaderWorkerTemplate"][part]
        yield {
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": document["metadata"],
            "spec": {"selector": {"matchLabels": template["metadata"]["labels"]}, "template": template},
        }


def validate(path, seen):
    count = 0
    for document in yaml.load_all(path.read_text(), Loader=Loader):
        kind = document["kind"]
        documents = [document]
        if kind in FOREIGN:
            extra = set(document["spec"]) - FOREIGN[kind]
            check(not extra, f"{path}: {kind} has {extra}")
            documents = list(pods(document)) if kind == "LeaderWorkerSet" else []
        for one in documents:
            key = json.dumps(one, sort_keys=True)
            if key in seen:
                continue
            seen.add(key)
            for version in VERSIONS:
                # Image volumes are younger than the oldest version.
                if version == "1.30.0" and '"image": {"pullPolicy"' in key:
                    continue
                try:
                    kubernetes_validate.validate(one, version, strict=True)
                except kubernetes_validate.ValidationError as error:
                    raise SystemExit(f"FAILED: {path}: {kind} under {version}: {error}")
        count += 1
    return count


def options(plan):
    data = json.loads(plan.read_text())
    return [data["name"]] + [one["name"] for one in data["alternatives"] if one["name"] != data["name"]]


def main():
    check(PLANS, "there are no plans in Tests/Fixtures/plans")
    seen, planned, objects, refused = set(), 0, 0, 0
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        for plan in PLANS:
            cloud = json.loads(plan.read_text())["hardware"]["nodes"][0]["provider"]
            own = {"gcp": "gke", "aws": "eks"}.get(cloud)
            for option in options(plan):
                for target in ["kubernetes"] + ([own] if own else []):
                    # Half of them each: every shape and target is met by either engine over the plans.
                    for engine in [["cserve", "vllm"][(planned + refused) % 2]]:
                        folder = scratch / f"{plan.stem}-{planned}-{refused}"
                        flags = ["--target", target, "--engine", engine, "--option", option, "--image", IMAGE, "--zone", "z"]
                        if planned % 3 == 1:
                            flags += ["--max-replicas", "64", "--autoscaler", "keda" if planned % 2 else "hpa"]
                        if planned % 5 == 2:
                            flags += ["--model-cache", "node"]
                        if planned % 5 == 3:
                            flags += ["--model-cache", "image", "--model-image", IMAGE]
                        code, text = render(plan, folder, *flags)
                        if code == 1:
                            check("keeps a replica on one node" in text or "has none of them" in text, f"{plan} {option}: {text}")
                            refused += 1
                            continue
                        check(code == 0, f"{plan} {option} {target} {engine}: {text}")
                        objects += sum(validate(path, seen) for path in sorted((folder / "manifests").glob("*.yaml")))
                        planned += 1
        check(planned >= 30, f"only {planned} renderings")
        formats(scratch)
        others(scratch)
    print(f"{planned} renderings of {len(PLANS)} plans ({refused} refused with their reason): {objects} objects pass the strict "
          f"schemas of Kubernetes {', '.join(VERSIONS)}, and our lint.")


def formats(scratch):
    """Kustomize's base, built by kubectl, holds the very objects of the plain manifests."""
    code, text = render(PLANS[0], scratch / "plain", "--target", "kubernetes", "--image", IMAGE, "--engine", "vllm", "--zone", "z")
    check(code == 0, text)
    code, text = render(PLANS[0], scratch / "kustom", "--target", "kubernetes", "--image", IMAGE, "--engine", "vllm", "--zone", "z", "--format", "kustomize")
    check(code == 0, text)
    if not shutil.which("kubectl"):
        print("kubectl is not here: Kustomize's base was not built.")
        return
    built = subprocess.run(["kubectl", "kustomize", str(scratch / "kustom" / "base")], capture_output=True, text=True)
    check(built.returncode == 0, built.stderr)
    plain = [d for p in sorted((scratch / "plain" / "manifests").glob("*.yaml")) for d in yaml.safe_load_all(p.read_text())]
    order = lambda d: (d["kind"], d["metadata"]["name"])
    check(sorted(yaml.safe_load_all(built.stdout), key=order) == sorted(plain, key=order), "kustomize gives other objects")


def others(scratch):
    """The keys of compose, eksctl and Snowpark, from their references."""
    service = {
        "image", "entrypoint", "depends_on", "environment", "ports", "volumes", "tmpfs", "shm_size", "ulimits", "stop_signal",
        "stop_grace_period", "restart", "deploy", "healthcheck", "user", "read_only", "cap_drop", "security_opt", "init", "logging",
    }
    small = [p for p in PLANS if json.loads(p.read_text())["hardware"]["accelerators"] <= 4]
    check(small, "no plan is small enough for one machine")
    for engine in ["cserve", "vllm"]:
        code, text = render(small[0], scratch / engine, "--target", "compose", "--engine", engine, "--image", IMAGE)
        check(code == 0, text)
        compose = yaml.safe_load((scratch / engine / "compose.yaml").read_text())
        check(set(compose) <= {"name", "services", "volumes"}, str(set(compose)))
        for name, one in compose["services"].items():
            check(set(one) <= service, f"{name}: {set(one) - service}")
        code, text = render(small[0], scratch / ("local" + engine), "--target", "local", "--engine", engine)
        check(code == 0, text)
        shell = subprocess.run(["sh", "-n", str(scratch / ("local" + engine) / "run.sh")], capture_output=True, text=True)
        check(shell.returncode == 0, shell.stderr)


main()
