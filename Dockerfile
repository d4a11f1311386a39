# Where there is no Docker engine, python3 -m deploy.replay_image replays these steps; it knows the instructions used here.

FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIPENV_VENV_IN_PROJECT=1 PIPENV_VERBOSITY=-1
WORKDIR /app
# An init of a few kilobytes, which needs nothing else in the image.
RUN apt-get update && apt-get install --yes --no-install-recommends tini
RUN pip install pipenv==2026.10.3
COPY Pipfile Pipfile.lock ./
# What some pipelines of items need: docker build --build-arg EXTRAS="aws redis schemas"
ARG EXTRAS=""
RUN pipenv install --deploy && if [ -n "$EXTRAS" ]; then pipenv sync --categories "$EXTRAS"; fi
COPY .release-version run.py ./
COPY janitor janitor
# Compiled here, by content instead of by date, because the image's user may write nothing but its state.
# Made readable, because the checkout may come from a person whose files only they can read. Made unwritable, because
# the checkout may come from a person whose group may write, and the image's user is in group 0.
RUN .venv/bin/python -m compileall -q --invalidation-mode unchecked-hash .venv/lib janitor && chmod -R a+rX,go-w .

FROM python:3.13-slim
# OpenShift runs the image as a user of its own choice, who has no name and is in group 0. So var is that group's too.
RUN useradd --uid 10001 --gid 0 --no-create-home --home-dir /app --shell /usr/sbin/nologin janitor \
    && install --directory --owner=janitor --group=root --mode=0770 /app/var
WORKDIR /app
COPY --from=build /usr/bin/tini-static /usr/bin/tini
COPY --from=build /app/.venv .venv
COPY --from=build /app/.release-version /app/run.py ./
COPY --from=build /app/janitor janitor
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:0
VOLUME /app/var
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["python", "run.py", "health"]
# Process 1 reaps what tasks leave behind. It also passes signals on; the kernel drops those that process 1 does not take,
# as Python does not before the daemon is there.
ENTRYPOINT ["tini", "--", "python", "run.py"]
CMD ["start"]
