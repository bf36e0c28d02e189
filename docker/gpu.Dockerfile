# Training and generation. Build on a CUDA base of the driver at hand:
#   docker build -f docker/gpu.Dockerfile --build-arg BASE=pytorch/pytorch:2.13.0-cuda13.0-cudnn9-runtime -t lampworks-gpu .
ARG BASE=python:3.11-slim
FROM ${BASE}
WORKDIR /opt/lampworks
COPY . .
RUN pip install --no-cache-dir '.[train,gx,s3,reports]'
ENV PYTHONPATH=/opt/lampworks HF_HUB_OFFLINE=1 OMP_WAIT_POLICY=PASSIVE
ENTRYPOINT ["python", "-m", "tasks.worker"]
