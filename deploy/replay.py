"""Carries out a Dockerfile's instructions by chroot, without a Docker engine."""

import signal
from dataclasses import replace
from pathlib import Path

from deploy.debian_root import lend_network
from deploy.dockerfile import ReplayError, Stage, Step, exec_form, ignored, read_rules, variables
from deploy.image import Image, in_root, put, run, say


class Replay:
    """Carries out the stages of one Dockerfile; each has a root of its own below `work`."""

    def __init__(self, context: Path, base: Path, work: Path) -> None:
        self.context = context
        self.base = base
        self.work = work
        self.rules = read_rules(context)
        self.images: dict[str, Image] = {}

    def build(self, stages: list[Stage]) -> Image:
        """Return the image of the last stage. Only the stages before it can reach a package registry."""
        for stage in stages:
            say(f"FROM {stage.base} AS {stage.name}")
            root = self.work / stage.name
            run(["cp", "-a", "--reflink=auto", str(self.base), str(root)])
            image = Image(root)
            lent = {} if stage is stages[-1] else lend_network(root)
            for step in stage.steps:
                say(f"{step.keyword} {step.rest}")
                image = self.carry_out(step, image, lent)
            self.images[stage.name] = image
        return image

    def carry_out(self, step: Step, image: Image, lent: dict[str, str]) -> Image:
        """Return the image after one instruction. `lent` are this machine's variables that a RUN may see."""
        match step.keyword:
            case "RUN":
                run(in_root(image, step.argv or ["/bin/sh", "-c", step.rest], lent))
            case "COPY":
                self.copy(step, image)
            case "ENV" | "ARG":  # an argument has its default: nobody gives another here
                return replace(image, env=image.env | variables(step.rest, image.env))
            case "WORKDIR":
                image = replace(image, workdir=image.workdir / step.rest)
                image.path(".").mkdir(parents=True, exist_ok=True)
            case "USER":
                return replace(image, user=step.rest)
            case "ENTRYPOINT":
                return replace(image, entrypoint=exec_form(step))
            case "CMD":
                return replace(image, cmd=exec_form(step))
            case "HEALTHCHECK":
                return replace(image, healthcheck=exec_form(Step("HEALTHCHECK", {}, step.rest.removeprefix("CMD "))))
            case "STOPSIGNAL":
                return replace(image, stop_signal=signal.Signals[step.rest])
            case "VOLUME":
                if not image.path(step.rest).is_dir():
                    raise ReplayError(f"VOLUME {step.rest}: no step has made that folder, so root would own it")
            case "EXPOSE":
                pass  # it only tells which port the image uses
            case _:
                raise ReplayError(f"the replay does not know {step.keyword}; teach it, or do without in the Dockerfile")
        return image

    def copy(self, step: Step, image: Image) -> None:
        """Copy files of the context, or of an earlier stage (--from), into the image; root owns them."""
        if unknown := set(step.flags) - {"from"}:
            raise ReplayError(f"the replay does not know COPY --{unknown.pop()}")
        *sources, target = step.rest.split()
        stage = self.images[step.flags["from"]] if "from" in step.flags else None
        into = image.path(target)
        for source in sources:
            origin = stage.path(source) if stage else self.context / source
            if not origin.exists() or (stage is None and origin.is_file() and ignored(source, self.rules)):
                raise ReplayError(f"COPY {source}: there is no such file, or .dockerignore keeps it out")
            if origin.is_dir():
                self.copy_folder(origin, into, from_context=stage is None)
            else:
                put(origin, into / origin.name if target.endswith("/") or len(sources) > 1 else into)

    def copy_folder(self, origin: Path, into: Path, *, from_context: bool) -> None:
        """Copy what is in a folder; files of the context only if .dockerignore lets them in."""
        for file in sorted(origin.rglob("*")):
            if from_context and ignored(file.relative_to(self.context).as_posix(), self.rules):
                continue
            if file.is_dir() and not file.is_symlink():
                (into / file.relative_to(origin)).mkdir(parents=True, exist_ok=True)
            else:
                put(file, into / file.relative_to(origin))
