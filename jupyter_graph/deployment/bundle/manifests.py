"""The files that run a bundle elsewhere: a Dockerfile and Kubernetes manifests."""

from __future__ import annotations

import json
import sys
from typing import Any

from jupyter_graph.deployment.deploy_options import DeployOptions
from jupyter_graph.deployment.nuclio.function_config import environment, to_yaml

PORT = 8080
USER = 65532  # nobody of the distroless images; any number but 0 would do

TOKEN_HINT = """\
# Callers send a token (Authorization: Bearer …); make it first:
#   kubectl create secret generic {name}-token --from-literal=token=…
"""

DOCKERFILE = """\
FROM python:{python}-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /function
COPY requirements.txt requirements-host.txt ./
RUN python -m pip install --no-cache-dir -r requirements.txt -r requirements-host.txt
COPY . .
{env}USER {user}
EXPOSE {port}
CMD {command}
"""


def dockerfile(options: DeployOptions) -> str:
    """Write the Dockerfile of a bundle; it runs the embedded host."""
    lines = [f"ENV {k}={docker_text(v)}\n" for k, v in sorted(options.env.items())]
    return DOCKERFILE.format(
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        env="".join(lines),
        user=USER,
        port=PORT,
        command=json.dumps(command(options)),
    )


def docker_text(value: str) -> str:
    r"""Quote a value for a Dockerfile; nothing in it is expanded.

    >>> print(docker_text('a "$HOME" \\ b'))
    "a \"\$HOME\" \\ b"
    """
    for char in '\\"$':
        value = value.replace(char, f"\\{char}")
    return f'"{value}"'


def command(options: DeployOptions) -> list[str]:
    """Return the words that start the host inside a container."""
    words = ["python", "-m", "jupyter_graph.host", "/function"]
    words += ["--name", options.name, "--host", "0.0.0.0", "--port", str(PORT)]
    # Callers are told apart by their token, which the host asks for outside loopback.
    return [*words, "--workers", str(options.workers), "--allow-host", "*"]


def manifests(options: DeployOptions, image: str) -> dict[str, str]:
    """Return the Kubernetes manifests by their path in the bundle."""
    hint, spec = TOKEN_HINT.format(name=options.name), options.spec
    files = {
        "k8s/deployment.yaml": hint + to_yaml(_deployment(options, image)),
        "k8s/service.yaml": to_yaml(_service(options)),
    }
    if spec.get("maxReplicas", 0) > spec.get("minReplicas", 1):
        files["k8s/autoscaler.yaml"] = to_yaml(_autoscaler(options))
    return files


def _metadata(options: DeployOptions) -> dict[str, Any]:
    return {"name": options.name, "labels": {"app.kubernetes.io/name": options.name}}


def _object(version: str, kind: str, metadata: Any, spec: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def _deployment(options: DeployOptions, image: str) -> dict[str, Any]:
    spec, metadata = options.spec, _metadata(options)
    labels = metadata["labels"]
    pod = {
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(options, image)],
    }
    wanted = ("nodeSelector", "tolerations", "affinity", "priorityClassName")
    pod |= {name: spec[name] for name in wanted if name in spec}
    body: dict[str, Any] = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    if "maxReplicas" not in spec:  # else the autoscaler decides
        body["replicas"] = spec.get("replicas", spec.get("minReplicas", 1))
    return _object("apps/v1", "Deployment", metadata, body)


def _container(options: DeployOptions, image: str) -> dict[str, Any]:
    def probe(path: str) -> dict[str, Any]:
        # Kubernetes probes by the pod's address, a Host that the function refuses.
        host = [{"name": "Host", "value": "localhost"}]
        return {"httpGet": {"path": path, "port": PORT, "httpHeaders": host}}

    place = {"name": f"{options.name}-token", "key": "token"}
    token = {"name": "JUPYTER_GRAPH_TOKEN", "valueFrom": {"secretKeyRef": place}}
    requests = {"cpu": "100m", "memory": "128Mi"}  # an autoscaler needs one of cpu
    return {
        "name": "function",
        "image": image,
        "command": command(options),
        "env": [*environment(options), *options.spec.get("env", []), token],
        "ports": [{"name": "http", "containerPort": PORT}],
        "readinessProbe": probe("/readyz"),
        "livenessProbe": {**probe("/healthz"), "initialDelaySeconds": 10},
        "resources": {"requests": requests, **options.spec.get("resources", {})},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _service(options: DeployOptions) -> dict[str, Any]:
    ports = [{"name": "http", "port": PORT, "targetPort": "http"}]
    spec = {"selector": _metadata(options)["labels"], "ports": ports}
    return _object("v1", "Service", _metadata(options), spec)


def _autoscaler(options: DeployOptions) -> dict[str, Any]:
    spec = options.spec
    target = {"type": "Utilization", "averageUtilization": spec.get("targetCPU", 75)}
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    scaled = {"apiVersion": "apps/v1", "kind": "Deployment", "name": options.name}
    body = {
        "scaleTargetRef": scaled,
        "minReplicas": max(1, spec.get("minReplicas", 1)),
        "maxReplicas": spec["maxReplicas"],
        "metrics": [cpu],
    }
    kind = "HorizontalPodAutoscaler"
    return _object("autoscaling/v2", kind, _metadata(options), body)
