# Builds with everything, ships with next to nothing: dist/ and the production dependencies.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json tsconfig.json tsconfig.build.json ./
RUN npm ci --ignore-scripts
COPY src ./src
RUN npm run build

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts
COPY --from=build /app/dist ./dist
USER node
EXPOSE 8080 9090
HEALTHCHECK --interval=15s --timeout=5s --start-period=5s CMD ["node", "dist/main.js", "healthcheck", "--config", "/etc/obo-gateway/gateway.yaml"]
ENTRYPOINT ["node", "dist/main.js"]
CMD ["serve", "--config", "/etc/obo-gateway/gateway.yaml"]
