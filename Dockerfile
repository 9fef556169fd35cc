# An image that runs `actbook`: `docker build -t actbook .`
FROM python:3.12-slim
RUN useradd --create-home actbook
COPY . /source
RUN pip install --no-cache-dir "/source[postgres]" && rm -rf /source
USER actbook
WORKDIR /home/actbook
ENTRYPOINT ["actbook"]
CMD ["worker"]
