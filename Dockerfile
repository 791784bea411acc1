# Builds with everything, ships with next to nothing: dist/ and the production dependencies.
#
# The base is named by its tag, so that a rebuild gets the newest patch of the LTS. To pin it to one image instead, pass
# the digest that `docker buildx imagetools inspect node:26-slim` prints: --build-arg BASE=node:26-slim@sha256:…
ARG BASE=node:26-slim
FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json tsconfig.json tsconfig.build.json ./
RUN npm ci --ignore-scripts
COPY src ./src
COPY dev/write-build.js dev/copy-page.js ./dev/
# The commit that --version, the log and the metrics name: --build-arg COMMIT="$(git rev-parse HEAD)"
ARG COMMIT=
ENV GIT_COMMIT=${COMMIT}
RUN npm run build

FROM ${BASE}
ARG COMMIT=
ARG VERSION=0.1.0
# docs/release.md says where these come from in a release.
ARG BASE
ARG CREATED=
LABEL org.opencontainers.image.title="obo-gateway" \
      org.opencontainers.image.description="A gateway for APIs whose callers hold Microsoft Entra tokens" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.base.name="${BASE}"
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json LICENSE ./
RUN npm ci --omit=dev --ignore-scripts
COPY --from=build /app/dist ./dist
# By number, so that Kubernetes can see that it is not root (runAsNonRoot). This is the user `node` of the base.
USER 1000:1000
EXPOSE 8080 9090
HEALTHCHECK --interval=15s --timeout=5s --start-period=5s CMD ["node", "dist/main.js", "healthcheck", "--config", "/etc/obo-gateway/gateway.yaml"]
ENTRYPOINT ["node", "dist/main.js"]
CMD ["serve", "--config", "/etc/obo-gateway/gateway.yaml"]
