# Scoring alone: no torch, no Spark, no Airflow.  docker build -f docker/harness.Dockerfile -t lampworks-harness .
FROM python:3.11-slim
WORKDIR /opt/lampworks
COPY . .
RUN pip install --no-cache-dir .
USER 65534
ENTRYPOINT ["lampworks", "score"]
