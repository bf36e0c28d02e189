# Spark tasks, on this machine or as a cluster's driver; S3A writes the attempt directly when the store is a bucket.
FROM python:3.11-slim
ARG HADOOP_AWS=3.4.2
RUN apt-get update && apt-get install -y --no-install-recommends openjdk-21-jre-headless && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/lampworks
COPY . .
RUN pip install --no-cache-dir '.[spark,gx,s3]'
ENV PYTHONPATH=/opt/lampworks SPARK_SUBMIT_OPTS="-Dlampworks.s3a=org.apache.hadoop:hadoop-aws:${HADOOP_AWS}"
ENTRYPOINT ["python", "-m", "tasks.worker"]
