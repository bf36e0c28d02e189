# Scheduler, web page, triggerer: Airflow without torch or Spark; the steps run in the other images.
FROM python:3.11-slim
WORKDIR /opt/lampworks
COPY . .
RUN pip install --no-cache-dir '.[airflow,s3]' && mkdir -p /var/lib/lampworks
ENV AIRFLOW_HOME=/var/lib/lampworks/airflow AIRFLOW__CORE__DAGS_FOLDER=/opt/lampworks/dags AIRFLOW__CORE__LOAD_EXAMPLES=False \
    PYTHONPATH=/opt/lampworks LAMPWORKS_STORE=/var/lib/lampworks/store
EXPOSE 8080
CMD ["airflow", "standalone"]
